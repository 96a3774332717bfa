"""Scores of a benchmark against a version that searches probe by probe, with failures on both sides."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.metrics.benchmark import Outcome, outcomes, score, search_all, unit_rows, usable
from models.metrics.protocol import Member, Protocol


def protocol(people: int, probes: int) -> Protocol:
    names = [f"p{person}" for person in range(people)]
    return Protocol(
        "made up",
        tuple(Member(f"{name}/neutral", name) for name in names),
        tuple(Member(f"{name}/{number}", name) for name in names for number in range(probes)),
    )


def slowly(features, sources: list[str], given: Protocol, axes: tuple[int, ...]) -> float:
    """Rank-1 of the mean distance over `axes`, one pair at a time; whoever is missing is a miss."""
    row = {source: number for number, source in enumerate(sources)}
    hits = 0
    for probe in given.probes:
        best, found = math.inf, ""
        for enrolled in given.gallery:
            if enrolled.id in row and probe.id in row:
                pairs = [(features[axis][row[enrolled.id]], features[axis][row[probe.id]]) for axis in axes]
                distance = sum(math.dist(one.tolist(), other.tolist()) for one, other in pairs) / len(axes)
                if distance < best:
                    best, found = distance, enrolled.subject
        hits += found == probe.subject
    return hits / len(given.probes)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), people=st.integers(2, 6), probes=st.integers(1, 4), lost=st.floats(0, 0.5))
def test_scores_are_those_of_a_search_pair_by_pair(seed: int, people: int, probes: int, lost: float):
    rng, given_protocol = np.random.default_rng(seed), protocol(people, probes)
    everything = [*given_protocol.gallery_ids, *given_protocol.probe_ids]
    sources = [source for source in rng.permutation(everything) if rng.random() > lost]
    if not set(sources) & set(given_protocol.gallery_ids):
        sources.append(given_protocol.gallery_ids[0])
    centres = {f"p{person}": rng.normal(size=8) for person in range(people)}
    features = tuple(
        np.array([centres[source.split("/")[0]] + rng.normal(size=8) for source in sources], dtype=np.float32)
        for _ in range(3)
    )
    scores = score((features[0], features[1], features[2]), sources, given_protocol, seed=1)
    for axis, value in enumerate((scores.x, scores.y, scores.z)):
        assert value == pytest.approx(slowly(features, sources, given_protocol, (axis,)))
    assert scores.fused == pytest.approx(slowly(features, sources, given_protocol, (0, 1, 2)))
    assert scores.cmc[0] == pytest.approx(scores.fused)
    assert scores.fused_low <= scores.fused <= scores.fused_high
    assert scores.rank1() == {"x": scores.x, "y": scores.y, "z": scores.z, "fused": scores.fused}


def test_a_perfect_recogniser_loses_exactly_what_was_not_acquired():
    given_protocol = protocol(people=4, probes=5)
    missing = {"p0/neutral", "p1/2"}  # all five probes of p0, and one of p1
    sources = [s for s in (*given_protocol.gallery_ids, *given_protocol.probe_ids) if s not in missing]
    one_hot = np.eye(4, dtype=np.float32)[[int(source[1]) for source in sources]]
    scores = score((one_hot, one_hot, one_hot), sources, given_protocol, seed=0)
    assert scores.fused == pytest.approx(14 / 20)
    assert scores.cmc == pytest.approx([14 / 20] * 3)  # three people are enrolled


def test_who_is_lost_is_named_by_subject():
    given_protocol = protocol(people=3, probes=2)
    sources = ["p1/0", "p0/neutral", "p2/neutral", "p0/1", "p2/0", "p2/1", "a stranger"]
    part = usable(sources, given_protocol)
    assert (part.gallery, part.gallery_subjects) == ([1, 2], ["p0", "p2"])
    assert (part.probes, part.probe_subjects) == ([3, 4, 5], ["p0", "p2", "p2"])
    assert part.lost_subjects == ["p0", "p1", "p1"]


def test_a_benchmark_without_probes_is_refused():
    lonely = Protocol("lonely", (Member("a", "a"),), ())
    features = np.ones((1, 4), dtype=np.float32)
    with pytest.raises(DataError):
        score((features, features, features), ["a"], lonely, seed=0)


def test_a_benchmark_of_which_nobody_could_be_enrolled_is_refused():
    probe = np.ones((1, 4), dtype=np.float32)
    with pytest.raises(DataError, match="made up: none of 2 gallery scans"):
        score((probe, probe, probe), ["p0/0"], protocol(people=2, probes=3), seed=0)


@given(st.integers(0, 100))
def test_rows_become_units_and_keep_their_direction(seed: int):
    rows = np.random.default_rng(seed).normal(scale=10.0 ** (seed % 7 - 3), size=(5, 6)).astype(np.float32)
    units = unit_rows(rows)
    np.testing.assert_allclose(np.linalg.norm(units.astype(np.float64), axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(units * np.linalg.norm(rows, axis=1, keepdims=True), rows, rtol=1e-5)


def test_a_row_of_zeros_stays_and_is_finite():
    assert unit_rows(np.zeros((2, 3), dtype=np.float32)).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_every_probe_has_an_outcome_and_a_lost_one_says_so():
    given_protocol = protocol(people=3, probes=2)
    sources = ["p1/0", "p1/neutral", "p0/neutral", "p0/1", "p0/0"]  # p2 is not enrolled, p1/1 is lost
    place = {"p1/0": 4.0, "p1/neutral": 0.0, "p0/neutral": 3.0, "p0/1": 3.5, "p0/0": 1.0}
    axis = np.array([[place[source]] for source in sources], dtype=np.float32)
    found = outcomes(search_all((axis, axis, axis), sources, given_protocol), sources, given_protocol)
    assert [outcome.probe for outcome in found] == list(given_protocol.probe_ids)
    told = {outcome.probe: outcome for outcome in found}
    assert told["p0/1"] == Outcome("p0/1", "p0", 1, "p0/neutral", "p0", 0.5, 0.5)
    assert told["p0/0"] == Outcome("p0/0", "p0", 2, "p1/neutral", "p1", 1.0, 2.0)
    assert told["p1/0"] == Outcome("p1/0", "p1", 2, "p0/neutral", "p0", 1.0, 4.0)
    for lost in ("p1/1", "p2/0", "p2/1"):
        assert told[lost] == Outcome(lost, lost[:2], 0, "", "", None, None)
    assert [outcome.hit for outcome in found] == [False, True, False, False, False, False]
    assert sum(outcome.lost for outcome in found) == 3

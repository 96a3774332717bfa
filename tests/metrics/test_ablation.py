"""Hits by channel and their differences, against a version that searches pair by pair."""

import math

import numpy as np
import pytest

from models.errors import DataError
from models.metrics.ablation import CHANNELS, Contrast, Side, contrast, hits_of, rank1_of
from models.metrics.benchmark import search_all
from models.metrics.protocol import Member, Protocol

PEOPLE, PROBES = 6, 5
GALLERY = tuple(Member(f"{who}/first", f"{who}") for who in range(PEOPLE))
PROTOCOL = Protocol(
    "made up", GALLERY, tuple(Member(f"{who}/{n}", f"{who}") for who in range(PEOPLE) for n in range(PROBES))
)
EVERYTHING = [*PROTOCOL.gallery_ids, *PROTOCOL.probe_ids]


def features(sources, noise: tuple[float, float, float], seed: int = 0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(PEOPLE, 6))
    x, y, z = (
        np.array([centres[int(s.split("/")[0])] + far * rng.normal(size=6) for s in sources], dtype=np.float32)
        for far in noise
    )
    return x, y, z


def slowly(given, sources, axes) -> list[bool]:
    row = {source: number for number, source in enumerate(sources)}
    found = []
    for probe in PROTOCOL.probes:
        if probe.id not in row:
            continue
        far = {
            one.subject: sum(math.dist(given[axis][row[one.id]], given[axis][row[probe.id]]) for axis in axes)
            for one in GALLERY
            if one.id in row
        }
        found.append(min(far, key=far.get) == probe.subject)
    return found


def test_each_channel_hits_what_a_search_pair_by_pair_finds():
    given = features(EVERYTHING, (0.5, 1.5, 3.0))
    hits = hits_of(search_all(given, EVERYTHING, PROTOCOL))
    for channel, axes in zip(CHANNELS, ((0,), (1,), (2,), (0, 1, 2)), strict=True):
        assert hits.channels[channel].tolist() == slowly(given, EVERYTHING, axes)
    rank1 = rank1_of(hits, seed=1)
    assert rank1["x"].value > rank1["z"].value
    for channel, interval in rank1.items():
        assert interval.value == pytest.approx(hits.channels[channel].mean())
        assert interval.low <= interval.value <= interval.high


def test_probes_that_were_not_acquired_are_misses_of_every_channel():
    kept = [source for source in EVERYTHING if source not in {"0/first", "1/2"}]
    hits = hits_of(search_all(features(kept, (0.01, 0.01, 0.01)), kept, PROTOCOL))
    assert all(found.sum() == PEOPLE * PROBES - PROBES - 1 for found in hits.channels.values())
    assert len(hits.subjects) == PEOPLE * PROBES


def test_a_difference_is_that_of_the_two_shares_and_swapping_sides_turns_it_round():
    known = {
        name: hits_of(search_all(features(EVERYTHING, noise), EVERYTHING, PROTOCOL))
        for name, noise in (("good", (0.5, 0.5, 0.5)), ("bad", (3.0, 3.0, 3.0)))
    }
    good, bad = Side("good", "fused"), Side("bad", "x")
    there, back = contrast(known, Contrast(good, bad), seed=2), contrast(known, Contrast(bad, good), seed=2)
    expected = known["good"].channels["fused"].mean() - known["bad"].channels["x"].mean()
    assert there.difference.value == pytest.approx(expected)
    assert back.difference.value == pytest.approx(-expected)
    assert there.difference.low > 0


def test_variants_of_other_probes_are_not_compared():
    some = [source for source in EVERYTHING if source != "1/2"]
    known = {
        "all": hits_of(search_all(features(EVERYTHING, (1, 1, 1)), EVERYTHING, PROTOCOL)),
        "some": hits_of(search_all(features(some, (1, 1, 1)), some, PROTOCOL)),
    }
    with pytest.raises(DataError, match="other probes"):
        contrast(known, Contrast(Side("all", "x"), Side("some", "x")), seed=0)

"""The details of a benchmark: complete, JSON, and in agreement with the metrics they gather."""

import json

import numpy as np
import pytest

from models.errors import DataError
from models.metrics.benchmark import outcomes, scores_of, search_all
from models.metrics.details import Details, compare_outcomes, details_of
from models.metrics.protocol import Member, Protocol


def study(seed: int, people: int, probes: int, spread: float, lost: int = 2):
    rng = np.random.default_rng(seed)
    names = [f"p{k:02d}" for k in range(people)]
    protocol = Protocol(
        "made up",
        tuple(Member(f"{name}/n", name) for name in names),
        tuple(Member(f"{name}/{k}", name) for name in names for k in range(probes)),
    )
    sources = [*protocol.gallery_ids, *protocol.probe_ids][:-lost]
    centres = {name: rng.normal(size=(3, 16)) for name in names}
    stacked = np.stack([centres[each[:3]] + rng.normal(0, spread, (3, 16)) for each in sources], axis=1)
    x, y, z = stacked.astype(np.float32)
    searched = search_all((x, y, z), sources, protocol)
    return searched, outcomes(searched, sources, protocol), protocol


def test_every_part_is_there_and_agrees_with_rank_one():
    searched, became, protocol = study(0, people=30, probes=20, spread=1.6)
    labels = {"sex": ["f" if k % 40 < 20 else "m" for k in range(len(protocol.probes))]}
    found = details_of(searched, became, labels, seed=0)
    assert json.loads(json.dumps(found._asdict(), allow_nan=False)) == json.loads(json.dumps(found._asdict()))
    rank1 = scores_of(searched, seed=0).fused
    assert 0.3 < rank1 < 0.99
    assert sum(each.hit for each in became) / len(became) == pytest.approx(rank1)
    assert found.gallery_curve[-1]["size"] == 30
    assert found.gallery_curve[-1]["rank1"] == pytest.approx(rank1)
    (sex,) = found.slices
    both = [(part["rank1"]["value"], part["probes"]) for part in sex["slices"]]
    assert sum(rate * count for rate, count in both) / len(became) == pytest.approx(rank1)
    figures = found.figures()
    assert 0 < figures["eer_low"] <= figures["eer"] <= figures["eer_high"] < 0.5
    assert {"fnmr_at_fmr_0.01", "fnir_at_fpir_0.1", "cllr", "min_cllr", "auc"} <= figures.keys()
    assert figures["fnmr_at_fmr_0.01_low"] <= figures["fnmr_at_fmr_0.01"] <= figures["fnmr_at_fmr_0.01_high"]
    assert [reason.split(" needs")[0] for reason in found.missing] == [
        "FMR 0.001",
        "FMR 0.0001",
        "open set: FPIR 0.01",
    ]


def test_too_few_people_leave_reasons_and_what_can_be_told():
    searched, became, _ = study(1, people=3, probes=2, spread=0.5, lost=1)
    found = details_of(searched, became, {}, seed=0)
    assert found.verification is None
    assert found.open_set == found.slices == []
    assert found.figures() == {}
    assert len(found.missing) == 2
    assert all("at least four" in reason for reason in found.missing)
    assert Details(**json.loads(json.dumps(found._asdict()))) == found


def test_two_models_are_compared_probe_by_probe():
    _, poor, _ = study(2, people=30, probes=10, spread=1.8)
    _, good, _ = study(2, people=30, probes=10, spread=0.6)
    found = compare_outcomes(good, poor, seed=0)
    expected = (sum(each.hit for each in good) - sum(each.hit for each in poor)) / len(good)
    assert found.difference.value == pytest.approx(expected)
    assert found.difference.low > 0
    with pytest.raises(DataError, match="other probes"):
        compare_outcomes(good, poor[::-1], seed=0)

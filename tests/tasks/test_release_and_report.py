"""Gates as the profile sets them, the results as data, and the model card."""

import json
import math
from pathlib import Path

import pytest

from infra.profiles import GateConfig, load_profile
from infra.store import Artefact
from models.export.latency import Latency
from models.metrics.benchmark import Scores
from models.metrics.details import Details
from models.reconstructors.scoring import ShapeError
from registry.catalogue import Snapshot
from registry.gates import judge
from tasks.cards import model_card
from tasks.evaluate import BenchmarkResult
from tasks.files import write_json
from tasks.promotion import Released
from tasks.release import Exported, gate_metrics, gates
from tasks.report import Findings, as_markdown, as_results

ARTEFACT = Artefact("evaluation", "0" * 64, Path("nowhere"))
GATE = GateConfig(fused_rank1=0.9, slice_floors={"sex": 0.8})
SCORES = {
    "baseline": Scores(0.5, 0.4, 0.3, 0.6, 0.5, 0.7, [0.6, 0.8]),
    "ce": Scores(0.85, 0.8, 0.7, 0.9, 0.85, 0.94, [0.9, 0.95]),
    "lmcl": Scores(0.91, 0.9, 0.8, 0.95, 0.92, 0.97, [0.95, 0.99]),
}
RESULT = BenchmarkResult("bu3dfe", "f" * 64, 100, 2400, 7, 9, SCORES, ARTEFACT)
EXPORTED = Exported(ARTEFACT, 2e-6)
FAST = Latency(3.0, 4.0, 200)


@pytest.fixture
def measured(tmp_path: Path) -> BenchmarkResult:
    """The figures with the slices of their details on disk: of four people nothing can be told."""
    groups = [("f", 9, 0.97), ("m", 12, 0.81), ("x", 4, 0.2)]
    slices = [{"group": name, "subjects": many, "rank1": {"value": share}} for name, many, share in groups]
    details = Details(None, [], [], [{"label": "sex", "slices": slices, "distinct": []}], [])
    write_json(tmp_path / "lmcl.details.json", details._asdict())
    return RESULT._replace(artefact=Artefact("evaluation", "0" * 64, tmp_path))


def test_gate_metrics_are_what_their_names_say(measured: BenchmarkResult):
    metrics = gate_metrics(measured, "lmcl", EXPORTED, FAST)
    assert metrics == {
        "fused_rank1": 0.95,
        "gain_over_baseline": pytest.approx(0.35),
        "fused_minus_best_axis": pytest.approx(0.04),
        "parity_max_abs": 2e-6,
        "latency_p50_ms": 3.0,
        "latency_p99_ms": 4.0,
        "slice.sex.f": 0.97,
        "slice.sex.m": 0.81,
    }
    assert judge(metrics, gates(GATE, metrics)).passed


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("fused_rank1", 0.8999),
        ("gain_over_baseline", 0.0999),
        ("fused_minus_best_axis", -0.0001),
        ("parity_max_abs", 1.1e-4),
        ("slice.sex.m", 0.7999),
    ],
)
@pytest.mark.parametrize("kind", ["short", "nan", "missing"])
def test_each_gate_refuses_what_is_short_not_a_number_or_missing(
    measured: BenchmarkResult, metric: str, value: float, kind: str
):
    metrics = gate_metrics(measured, "lmcl", EXPORTED, FAST)
    bounds = gates(GATE, metrics)
    if kind == "missing":
        del metrics[metric]
    else:
        metrics[metric] = value if kind == "short" else math.nan
    decision = judge(metrics, bounds)
    assert not decision.passed
    assert [reason.split(" ")[0] for reason in decision.reasons] == [metric]


def test_a_floor_for_a_label_of_which_nothing_was_measured_refuses(measured: BenchmarkResult):
    metrics = gate_metrics(measured, "lmcl", EXPORTED, FAST)
    floors = GATE.model_copy(update={"slice_floors": {"expression": 0.5}})
    assert judge(metrics, gates(floors, metrics)).reasons == ("slice.expression is missing",)


def test_nan_scores_reach_the_gate_as_nan_and_fail(measured: BenchmarkResult):
    broken = measured._replace(scores={**SCORES, "lmcl": SCORES["lmcl"]._replace(fused=math.nan)})
    metrics = gate_metrics(broken, "lmcl", EXPORTED, FAST)
    assert not judge(metrics, gates(GATE, metrics)).passed


def findings(released: Released) -> Findings:
    snapshot = Snapshot("a" * 64, "faces", "photo", "CC0-1.0", "faces", 60)
    error = ShapeError(1.2, 1.9, 2.4, 0.2, 12)
    return Findings(load_profile("tiny"), snapshot, error, RESULT, "simulated", released, 3, {"photos": []}, "lmcl")


def test_results_are_the_figures_as_data():
    released = Released("recognizer", "4", "challenger", False, ("fused_rank1 is 0.8, below 0.9",))
    results = as_results(findings(released), {"photos": 1.5})
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert results["profile"] == "tiny"
    assert results["seconds"] == {"photos": 1.5}
    assert results["photos"] == {"snapshot": "a" * 64, "count": 60, "failures": 3}
    assert results["registered"] == {"name": "recognizer", "version": "4", "alias": "challenger"}
    assert results["refused_because"] == ["fused_rank1 is 0.8, below 0.9"]
    (benchmark,) = results["benchmarks"].values()
    assert (benchmark["gallery"], benchmark["probes"], benchmark["failures"]) == (100, 2400, 7)
    assert benchmark["lmcl"] == {"x": 0.91, "y": 0.9, "z": 0.8, "fused": 0.95}
    assert benchmark["fused_interval"]["lmcl"] == [0.92, 0.97]


def test_the_table_in_prefect_shows_every_variant():
    table = as_markdown(findings(Released("recognizer", "4", "champion", True, ())))
    for name, row in SCORES.items():
        assert f"| {name} | {row.x:.3f} | {row.y:.3f} | {row.z:.3f} | {row.fused:.3f} |" in table
    assert "recognizer version 4 is champion" in table


def test_the_model_card_tells_figures_licences_and_protocol():
    card = model_card(RESULT, "lmcl", {"photos": "CC0-1.0", "face model": "Apache-2.0"}, 2e-6)
    for told in (
        "| lmcl | 0.910 | 0.900 | 0.800 | 0.950 (0.920-0.970) |",
        "7 failures",
        "CC0-1.0",
        "Apache-2.0",
        "f" * 12,
        "lmcl",
    ):
        assert told in card

"""Reconstructors compared in profile tiny, through the real commands."""

import json
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from registry.tracking import Tracker
from tests.flows.conftest import FirstRun
from tests.flows.trinormal_command import Sandbox, contents, new_sandbox, run, seed_home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
NAMES = ("expnet", "rnet", "texface")
COMPARE = ("compare", "--profile", "tiny", "--reconstructors", ",".join(NAMES))


class Compared(NamedTuple):
    sandbox: Sandbox
    results: dict[str, Any]
    output: str


@pytest.fixture(scope="module")
def compared(unbroken: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """Over a home that holds the photos, the scans, the ExpNet and the pre-trained network already."""
    assert unbroken.code == 0, unbroken.errors
    sandbox = new_sandbox(tmp_path_factory.mktemp("compared"))
    seed_home(unbroken.sandbox.home, sandbox.home, without=())
    done = run(sandbox, *COMPARE)
    assert done.returncode == 0, done.stderr
    return Compared(sandbox, json.loads((sandbox.home / "tiny" / "compare.json").read_text()), done.stdout)


def test_every_reconstructor_has_the_same_figures_under_one_protocol(compared: Compared):
    found = compared.results["reconstructors"]
    assert tuple(found) == NAMES
    assert len({tuple(sorted(figures)) for figures in found.values()}) == 1
    for figures in found.values():
        assert {"rank1.fused", "mesh_mm.face", "mesh_mm.nose", "normals_deg", "seconds_per_photo"} <= figures.keys()
        assert all(math.isfinite(value) for value in figures.values())
        assert figures["rank1.fused_low"] <= figures["rank1.fused"] <= figures["rank1.fused_high"]
        assert 0 < figures["mesh_mm.face"] < 10
        assert 0 < figures["normals_deg"] < 45


def test_mlflow_holds_comparable_runs(compared: Compared):
    home = compared.sandbox.home
    client = Tracker(f"sqlite:///{home / 'mlflow' / 'mlflow.db'}", home / "mlflow" / "artifacts").client
    experiment = client.get_experiment_by_name("reconstructors")
    assert experiment is not None
    runs = [run for run in client.search_runs([experiment.experiment_id]) if run.info.run_name in NAMES]
    assert {run.data.tags["reconstructor"] for run in runs} == set(NAMES)
    assert len({tuple(sorted(name for name in run.data.metrics if "." in name)) for run in runs}) == 1
    for each in runs:
        fused = compared.results["reconstructors"][each.info.run_name]["rank1.fused"]
        assert each.data.metrics["rank1.fused"] == pytest.approx(fused)
        assert each.info.status == "FINISHED"


def test_the_page_needs_no_network_and_shows_every_reconstructor(compared: Compared):
    page = (compared.sandbox.home / "tiny" / "compare.html").read_text()
    assert "http" not in page.replace("http-equiv", "")
    assert all(f"<td>{name}</td>" in page for name in NAMES)
    assert page.count("data:image/png;base64,") == 1
    assert all(name in compared.output for name in NAMES)


def test_a_second_comparison_makes_nothing_again(compared: Compared):
    before = contents(compared.sandbox.home)
    again = run(compared.sandbox, *COMPARE)
    assert again.returncode == 0, again.stderr
    assert "epoch" not in again.stderr
    assert contents(compared.sandbox.home) == before


def test_coefficients_of_photos_without_face_points_need_the_face_networks(compared: Compared, tmp_path: Path):
    photos = sorted((compared.sandbox.home / "store" / "photos").glob("*/*/train"))[0]
    table = tmp_path / "new" / "coefficients.parquet"
    done = run(compared.sandbox, "coefficients", str(photos), "--reconstructor", "rnet", "--out", str(table))
    assert done.returncode == 2
    assert "trinormal setup" in done.stderr
    assert not table.parent.exists()


ABLATE = ("ablations", "--profile", "tiny", "--reconstructors", "expnet,texface")


class Ablated(NamedTuple):
    results: dict[str, Any]
    errors: str
    made: set[str]


@pytest.fixture(scope="module")
def ablated(compared: Compared) -> Ablated:
    """After training and comparing: all that is left to do are three benchmarks."""
    before = set(contents(compared.sandbox.home))
    done = run(compared.sandbox, *ABLATE)
    assert done.returncode == 0, done.stderr
    made = {path.split("/")[0] for path in set(contents(compared.sandbox.home)) - before}
    return Ablated(json.loads((compared.sandbox.home / "tiny" / "ablations.json").read_text()), done.stderr, made)


@pytest.mark.unproven
def test_ablations_train_nothing_that_training_and_comparing_trained(ablated: Ablated):
    assert "epoch" not in ablated.errors
    assert ablated.made.isdisjoint({"sphere20", "expnet", "coefficients", "photo-normals", "photo-shards", "onnx"})


@pytest.mark.unproven
def test_every_benchmark_has_every_variant_with_intervals_and_the_merged_one_has_the_probes_of_three(ablated: Ablated):
    found = ablated.results["benchmarks"]
    assert tuple(found) == ("bu3dfe", "frgc", "bosphorus", "bu4dfe", "merged")
    for each in found.values():
        assert tuple(each["rank1"]) == ("baseline", "expnet.ce", "expnet.lmcl", "texface.lmcl")
        for row in each["rank1"].values():
            assert all(at["low"] <= at["value"] <= at["high"] for at in row.values())
        gap = each["differences"]["expnet.lmcl.fused - expnet.ce.fused"]
        shares = [each["rank1"][f"expnet.{loss}"]["fused"]["value"] for loss in ("lmcl", "ce")]
        assert gap["value"] == pytest.approx(shares[0] - shares[1])
    merged = found["merged"]
    assert merged["probes"] == sum(found[name]["probes"] for name in ("bu3dfe", "frgc", "bosphorus"))
    assert "face world" in merged["data"]


@pytest.mark.unproven
def test_the_cost_of_each_part_is_measured(ablated: Ablated):
    parts = ablated.results["complexity"]
    assert set(parts) == {"expnet", "texface", "clean_and_encode", "branch", "in_turn", "together", "exported"}
    assert all(part["seconds"] > 0 and part["peak_mb"] > 50 for part in parts.values())


@pytest.mark.unproven
def test_the_tables_of_paper_a_are_full_and_name_simulated_data(compared: Compared, ablated: Ablated):
    done = run(compared.sandbox, "report", "--tables", "--profile", "tiny")
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.startswith("A")}
    wanted = {"A1": 8, "A2": 8, "A3": 8, "A4": 2, "A5": 2, "A6": 2, "A7": 2, "A8": 1, "A.5a": 3, "A.5b": 2}
    for key, count in wanted.items():
        assert re.search(rf"\b{count} of +{count} figures", lines[key]), lines[key]
    assert all("simulated" in lines[key] for key in wanted if not key.startswith("A."))


def experiment(compared: Compared, name: str) -> dict[str, Any]:
    done = run(compared.sandbox, "experiment", name, "--profile", "tiny")
    assert done.returncode == 0, done.stderr
    return json.loads((compared.sandbox.home / "tiny" / f"experiment-{name}.json").read_text())


@pytest.mark.unproven
def test_stress_makes_a_curve_from_the_clean_probes_on_under_one_protocol(compared: Compared):
    levels = experiment(compared, "pose")["levels"]
    assert [level["amount"] for level in levels] == [0, 15, 30, 45, 60]
    assert len({level["protocol"] for level in levels}) == 1
    assert levels[0]["lost_probes"] <= levels[-1]["lost_probes"]
    assert levels[0]["rank1"] != levels[-1]["rank1"]


@pytest.mark.unproven
def test_a_few_scans_train_beside_the_faces_and_are_compared_with_none(compared: Compared):
    (level,) = experiment(compared, "few-scans")["levels"]
    names = [f"scans-{share}.lmcl" for share in (1, 5, 10)]
    assert list(level["rank1"]) == ["baseline", "expnet.lmcl", *names]
    assert all(f"{name}.fused - expnet.lmcl.fused" in level["differences"] for name in names)


@pytest.mark.unproven
def test_a_reconstructor_that_knows_of_recognition_stands_beside_its_control(compared: Compared):
    found = experiment(compared, "recognition-aware")
    (level,) = found["levels"]
    assert {"expnet.lmcl", "longer.lmcl", "aware.lmcl"} <= level["rank1"].keys()
    assert found["more"]["longer.neutral_mm"] != found["more"]["aware.neutral_mm"]

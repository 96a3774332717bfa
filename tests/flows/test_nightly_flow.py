"""Nights in a home of their own: everything measured once, a worse champion noticed, told once, and shown."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest

from flows.evaluate_all import evaluate_all
from flows.nightly import nightly
from flows.parameters import EvaluateAllRequest, NightlyRequest, TrainRequest
from infra.profiles import load_profile
from models.errors import BrokenVersion
from models.readers.meshes_out import write_obj
from models.readers.scans import read_scan
from models.types import Scan
from registry.reported import finished_runs
from tasks.assess import VARIANT
from tasks.evaluation_lookup import take_in_newest
from tasks.evaluation_page import MARK, NAV_MARK
from tasks.snapshot import take_snapshot
from tasks.sources import Source
from tests.flows.crowned import crown, damaged, registered, untrained
from tests.flows.page_numbers import shown_numbers, untraced
from tests.flows.quiet_prefect import Heard, quiet
from tests.flows.trinormal_command import contents

pytestmark = [pytest.mark.unproven, pytest.mark.slow, pytest.mark.timeout(1200)]
TINY = load_profile("tiny")
MODEL = TINY.model_name
BENCHMARKS = ["bu3dfe", "frgc", "bosphorus", "bu4dfe", "merged"]
ASKED = NightlyRequest(profile="tiny", regression_level=0.05)
"""Sixteen people cannot make anybody as sure as the usual 0.01."""


class Nights(NamedTuple):
    """Three nights: a sound champion, one damaged and forced into place, and the same again with new scans."""

    heard: Heard
    home: Path
    told: list[dict[str, Any]]
    evaluated: dict[str, Any]
    new_files: set[str]
    new_runs: int
    events: list[int]
    snapshots: list[str]


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    home = tmp_path_factory.mktemp("nights") / "home"
    with quiet(home) as heard:
        workspace = heard.workspace
        sound = untrained(TINY, seed=0)
        crown(workspace, registered(workspace, TINY, MODEL, sound, "sound"))
        told, events = [nightly.fn(ASKED)], [len(heard.events)]
        files, runs = set(contents(home)), len(finished_runs(workspace.tracker, "evaluation"))
        evaluated = evaluate_all.fn(EvaluateAllRequest(profile="tiny"))
        new_files = set(contents(home)) - files
        new_runs = len(finished_runs(workspace.tracker, "evaluation")) - runs
        crown(workspace, registered(workspace, TINY, MODEL, damaged(sound), "damaged"))
        told.append(nightly.fn(ASKED))
        events.append(len(heard.events))
        snapshots = [add_scans(home, name, turn) for name, turn in (("alike", 0.0), ("stretched", 1.0))]
        told.append(nightly.fn(ASKED))
        events.append(len(heard.events))
        yield Nights(heard, home, told, evaluated, new_files, new_runs, events, snapshots)


def add_scans(home: Path, name: str, stretch: float) -> str:
    """Scans of the simulated BU-3DFE as a user's own folder; with `stretch` their noses grow and chins move."""
    (root,) = {path.parents[1] for path in (home / "store" / "scans").glob("??/*/F0001/*_F3D.wrl")}
    folder = home.parent / name
    for path in sorted(root.glob("*/*_NE00*_F3D.wrl")) + sorted(root.glob("*/*_HA0[12]*_F3D.wrl")):
        scan = read_scan(path)
        moved = scan.vertices * np.array([1.0, 1.0 + 0.1 * stretch, 1.0 + 0.3 * stretch], np.float32)
        target = folder / path.parent.name / f"{path.stem}.obj"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(write_obj(Scan(moved.astype(np.float32), scan.triangles)))
    return take_snapshot(Source("scans", folder, "scan"), name, "CC0-1.0", parse=True).id


def test_every_benchmark_is_measured_and_its_figures_are_those_of_its_score_file(nights: Nights):
    assert list(nights.evaluated["benchmarks"]) == BENCHMARKS
    for name, entry in nights.evaluated["benchmarks"].items():
        one = entry["versions"]["champion"]
        (folder,) = (nights.home / "store" / "assessment").glob(f"??/{one['assessment']}")
        rows = pq.read_table(folder / f"{VARIANT}.scores.parquet").to_pandas()
        searched = rows[rows["reference"].notna()]
        best = searched.loc[searched.groupby("probe", observed=True)["fused"].idxmin()]
        hits = (best["probe_subject"].astype(str) == best["reference_subject"].astype(str)).sum()
        assert one["fused"] == pytest.approx(hits / entry["probes"]), name
        assert len(best) + one["lost_probes"] == entry["probes"]
        assert one["fused_low"] <= one["fused"] <= one["fused_high"]


def test_the_merged_set_is_the_three_of_the_paper_together(nights: Nights):
    found = nights.evaluated["benchmarks"]
    for count in ("gallery", "probes", "failures"):
        assert found["merged"][count] == sum(found[name][count] for name in ("bu3dfe", "frgc", "bosphorus"))


def test_what_is_unchanged_is_not_measured_again_and_no_second_run_is_made(nights: Nights):
    assert nights.new_files == set()
    assert nights.new_runs == 0


def test_the_first_night_has_nothing_to_compare_with_and_raises_no_alarm(nights: Nights):
    assert nights.told[0]["drops"] == {}
    assert nights.told[0]["retrain"] is False
    assert nights.events[0] == 0


def test_a_damaged_champion_is_found_to_be_worse_than_the_one_of_the_night_before(nights: Nights):
    drops = nights.told[1]["drops"]
    assert drops.keys() == set(BENCHMARKS)
    assert drops["merged"]["worse"], drops
    assert drops["merged"]["difference"] < 0
    assert drops["merged"]["low"] <= drops["merged"]["difference"] <= drops["merged"]["high"]
    assert drops["merged"]["reference"].startswith("version 1")


def test_it_is_told_once_with_a_request_that_the_training_takes(nights: Nights):
    assert nights.events[1] == 1
    first = nights.heard.events[0]
    assert first["event"] == "trinormal.evaluation.regressed"
    assert first["prefect.resource.id"] == f"trinormal.model.{MODEL}"
    assert TrainRequest.model_validate(json.loads(first["request"])) == TrainRequest(profile="tiny")
    assert all(isinstance(said, str) for said in first.values()), "other types survive templating and fail later"
    assert nights.told[2]["drops"]["merged"]["worse"], "still worse on the next night"
    assert nights.told[2]["retrain"] is False
    assert [each["event"] for each in nights.heard.events].count("trinormal.evaluation.regressed") == 1


def test_the_champion_before_is_measured_beside_and_compared_on_the_same_probes(nights: Nights):
    page = (nights.home / "evaluations" / f"{MODEL}-tiny" / "nightly.html").read_text()
    results = json.loads((nights.home / "evaluations" / f"{MODEL}-tiny" / "evaluation.json").read_text())
    assert list(results["versions"]) == ["champion"], "written before the second version was there"
    table = nights.heard.artifacts["night-benchmarks"]
    assert {row["version"] for row in table} == {"2 (champion)", "1 (previous)"}
    assert "previous-champion" in page


def test_new_snapshots_are_held_against_their_suites_once(nights: Nights):
    assert [night["checked"] for night in nights.told[:2]] == [[], []]
    assert {each["name"]: each["passed"] for each in nights.told[2]["checked"]} == {"alike": True, "stretched": True}
    again = nightly.fn(ASKED)
    assert again["checked"] == again["drifts"] == []
    assert len(again["nights"]) == 4


def test_stretched_faces_look_less_like_the_benchmark_than_its_own_scans_do(nights: Nights):
    drifts = {each["about"]: each for each in nights.told[2]["drifts"]}
    alike, stretched = (drifts[name]["figures"]["embeddings"] for name in ("alike", "stretched"))
    assert not drifts["alike"]["drifted"]
    assert stretched["mmd2"] > alike["mmd2"]
    assert stretched["mmd_p"] < alike["mmd_p"]


def test_the_history_shows_every_night_from_its_own_run(nights: Nights):
    shown = nights.told[2]["nights"]
    assert [night["version"] for night in shown] == ["1", "2", "2"]
    assert len({night["run_id"] for night in shown}) == 3
    assert shown[0]["regressed"] == []
    assert "merged" in shown[1]["regressed"]
    assert shown[0]["fused"]["merged"] == pytest.approx(
        nights.evaluated["benchmarks"]["merged"]["versions"]["champion"]["fused"]
    )


def test_every_number_of_the_page_is_a_metric_of_the_run_that_it_names(nights: Nights):
    folder = nights.home / "evaluations" / f"{MODEL}-tiny"
    for name, least in (("nightly.html", 150), ("evaluation.html", 40)):
        numbers = shown_numbers((folder / name).read_text())
        assert len(numbers) > least
        assert list(untraced(numbers, nights.heard.workspace.tracker)) == []


def test_a_number_that_no_run_says_would_be_found(nights: Nights):
    page = (nights.home / "evaluations" / f"{MODEL}-tiny" / "evaluation.html").read_text()
    number = next(each for each in shown_numbers(page) if each.metrics == ["fused"])
    other = f"{float(number.text.split()[0]) + 0.1:.1f} %"
    assert len(list(untraced([number._replace(text=other)], nights.heard.workspace.tracker))) == 1
    assert len(list(untraced([number._replace(metrics=["nothing"])], nights.heard.workspace.tracker))) == 1


def test_the_report_of_a_training_takes_the_newest_evaluation_in(nights: Nights, tmp_path: Path):
    report = tmp_path / "report.html"
    report.write_text(f"<nav>{NAV_MARK}</nav><main>{MARK}</main>")
    told = take_in_newest(nights.heard.workspace.tracker, report, "tiny")
    page = report.read_text()
    assert told.startswith("; all benchmarks: run ")
    assert '<a href="#benchmarks">' in page
    assert list(untraced(shown_numbers(page), nights.heard.workspace.tracker)) == []
    assert take_in_newest(nights.heard.workspace.tracker, report, "demo") == ""


def test_a_champion_whose_embeddings_are_all_alike_is_told_as_the_worst_regression(nights: Nights):
    """Stands last: this champion ends every later night."""
    workspace = nights.heard.workspace
    crown(workspace, registered(workspace, TINY, MODEL, damaged(untrained(TINY, seed=0), inputs_kept=0), "dead"))
    before, finished = len(nights.heard.events), len(finished_runs(workspace.tracker, "nightly"))
    with pytest.raises(BrokenVersion, match=r"version 3 \(champion\): its embeddings are refused"):
        nightly.fn(ASKED)
    (event,) = nights.heard.events[before:]
    assert event["event"] == "trinormal.evaluation.regressed"
    assert "embeddings are refused" in event["benchmarks"]
    assert len(finished_runs(workspace.tracker, "nightly")) == finished, "a night that failed is no part of the history"

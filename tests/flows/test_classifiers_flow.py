"""Paper B in profile tiny, through the real commands."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from registry.tracking import Tracker
from tests.flows.trinormal_command import Sandbox, contents, new_sandbox, run

pytestmark = [pytest.mark.campaign, pytest.mark.slow, pytest.mark.timeout(1500)]
TRAIN = ("train-classifiers", "--profile", "tiny")
EXPERIMENTS = ["expression", "expression by image", "gender", "individual"]
MODELS = {"resnet", "logistic regression", "nearest mean", "photos", "photos, voted"}


class Classified(NamedTuple):
    sandbox: Sandbox
    results: dict[str, Any]
    output: str


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory) -> Classified:
    sandbox = new_sandbox(tmp_path_factory.mktemp("classified"))
    done = run(sandbox, *TRAIN)
    assert done.returncode == 0, done.stderr
    results = json.loads((sandbox.home / "tiny" / "classifiers.json").read_text())
    return Classified(sandbox, results, done.stdout)


def test_every_experiment_has_every_model_with_its_interval(classified: Classified):
    tasks = classified.results["tasks"]
    assert sorted(tasks) == EXPERIMENTS
    for found in tasks.values():
        assert found["models"].keys() == MODELS
        for figures in found["models"].values():
            assert 0 <= figures["low"] <= figures["accuracy"] <= figures["high"] <= 1
            assert figures["people"] >= 2
            assert math.isfinite(figures["macro_f1"])


def test_the_papers_three_tables_stand_beside_ours(classified: Classified):
    tables = classified.results["tables"]
    assert tables["1"]["gender"]["paper"] == {"photos": 0.798, "resnet": 0.954}
    assert tables["2"]["expression"]["paper"] == {"photos": 0.062, "resnet": 0.001}
    for name in EXPERIMENTS:
        ours = tables["2"][name]["ours"]
        assert ours["resnet"] > 0
        assert tables["2"][name]["times_faster"] == pytest.approx(ours["photos"] / ours["resnet"])
    third = tables["3"]
    assert third["ours"]["labels"] == ["afraid", "angry", "disgusted", "happy", "neutral", "sad", "surprised"]
    assert len(third["paper"]) == len(third["ours"]["shares"]) == 7


def test_the_leak_and_the_options_have_figures(classified: Classified):
    leakage = classified.results["leakage"]
    assert set(leakage) == MODELS
    for row in leakage.values():
        assert row["leak"] == pytest.approx(row["by_image"]["accuracy"] - row["by_subject"]["accuracy"])
    options = classified.results["options"]
    assert set(options) == {"texture", "pooling", "views", "multi_task", "calibration"}
    for task in ("expression", "gender"):
        row = options["multi_task"][task]
        assert row["effect"] == pytest.approx(row["with"] - row["without"])
        assert row["low"] <= row["effect"] <= row["high"]


def test_three_models_are_registered_under_their_own_names(classified: Classified):
    registered = classified.results["registered"]
    assert [each["name"] for each in registered] == ["individual-tiny", "gender-tiny", "expression-tiny"]
    assert {each["alias"] for each in registered} == {"champion"}
    assert all(f"{each['name']} version 1 is champion" in classified.output for each in registered)


def test_mlflow_has_one_parent_and_a_child_a_model(classified: Classified):
    home = classified.sandbox.home
    client = Tracker(f"sqlite:///{home / 'mlflow' / 'mlflow.db'}", home / "mlflow" / "artifacts").client
    experiment = client.get_experiment_by_name("classifiers")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1
    assert {run.info.status for run in runs} == {"FINISHED"}
    names = [run.info.run_name for run in runs]
    assert len(names) == len(set(names)), "none twice"
    accuracy = classified.results["tasks"]["gender"]["models"]["resnet"]["accuracy"]
    assert parents[0].data.metrics["gender.resnet.accuracy"] == pytest.approx(accuracy)


def test_the_page_needs_no_network(classified: Classified):
    page = (classified.sandbox.home / "tiny" / "classifiers.html").read_text()
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("data:image/png;base64,") == 3


def test_a_second_run_makes_nothing_again(classified: Classified):
    before = contents(classified.sandbox.home)
    again = run(classified.sandbox, *TRAIN)
    assert again.returncode == 0, again.stderr
    assert "epoch" not in again.stderr
    assert contents(classified.sandbox.home) == before


def test_the_people_of_a_folder_are_told_apart(classified: Classified, tmp_path: Path):
    sandbox = classified.sandbox
    photos = sorted((sandbox.home / "store" / "photos").glob("*/*/train"))[0]
    done = run(sandbox, *TRAIN, "--photos", str(photos), "--reconstructors", "rnet")
    assert done.returncode == 2
    assert "trinormal setup" in done.stderr, "the raw mesh needs the face networks"

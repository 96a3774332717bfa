import json
from pathlib import Path

import plotly.graph_objects as go
import pytest

from registry.errors import TrackingError
from registry.runs import Point
from registry.tracking import Tracker

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def test_a_retried_job_continues_its_run_and_repeats_no_point(tracker: Tracker):
    first = tracker.run("faces", "train", "key-1", job="a", tags={"profile": "tiny"})
    first.log_params({"epochs": 3, "margin": 0.35})
    first.log_points([Point("loss", step, 1.0 / (step + 1)) for step in range(2000)])
    again = tracker.run("faces", "train", "key-1", job="b")
    again.log_params({"epochs": 3})
    again.log_points([Point("loss", step, 1.0 / (step + 1)) for step in range(1990, 2010)])
    assert again.run_id == first.run_id
    history = tracker.client.get_metric_history(first.run_id, "loss")
    assert sorted(point.step for point in history) == list(range(2010))
    assert tracker.run("faces", "train", "key-2").run_id != first.run_id
    assert tracker.client.get_run(first.run_id).data.tags["trinormal.job"] == "b"


def test_a_run_keeps_its_inputs_files_and_parent(tracker: Tracker):
    parent = tracker.run("faces", "sweep", "parent")
    with tracker.run("faces", "train", "child", parent=parent.run_id) as run:
        run.log_dataset("photos", "d" * 64, "/photos", "training", rows=12)
        run.log_dataset("photos", "d" * 64, "/photos", "training", rows=12)
        run.log_dict({"rank1": 0.5}, "report/numbers.json")
        run.log_text("<p>fine</p>", "report/page.html")
        run.log_figure(go.Figure(go.Scatter(x=[1, 2], y=[3, 4])), "report/curve.html")
    found = tracker.client.get_run(run.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.tags["mlflow.parentRunId"] == parent.run_id
    (dataset,) = found.inputs.dataset_inputs
    assert (dataset.dataset.name, dataset.dataset.digest) == ("photos", "d" * 36)
    assert found.data.tags["trinormal.dataset.training"] == "d" * 64
    folder = Path(tracker.client.download_artifacts(run.run_id, "report"))
    assert json.loads((folder / "numbers.json").read_text()) == {"rank1": 0.5}
    assert "cdn" not in (folder / "curve.html").read_text()[:2000]


def test_a_block_that_raises_leaves_a_failed_run_with_the_reason(tracker: Tracker):
    with pytest.raises(ZeroDivisionError), tracker.run("faces", "train", "k") as run:
        raise ZeroDivisionError("no photos")
    found = tracker.client.get_run(run.run_id)
    assert (found.info.status, found.data.tags["trinormal.reason"]) == ("FAILED", "ZeroDivisionError: no photos")


def test_sweeping_closes_what_one_dead_job_left_and_nothing_else(tracker: Tracker):
    dead = tracker.run("faces", "train", "1", job="dead")
    alive = tracker.run("faces", "train", "2", job="alive")
    tracker.run("other", "train", "3", job="dead").finish()
    assert tracker.sweep_stale("dead") == (dead.run_id,)
    assert tracker.client.get_run(dead.run_id).info.status == "KILLED"
    assert tracker.client.get_run(alive.run_id).info.status == "RUNNING"
    assert tracker.sweep_stale("dead") == ()


def test_two_runs_made_at_once_settle_on_the_oldest(tracker: Tracker, monkeypatch: pytest.MonkeyPatch):
    other = Tracker(tracker.tracking_uri, Path("unused"))
    find, rivals = Tracker._find, []

    def blind_once(self: Tracker, experiment_id: str, key: str) -> str | None:
        if self is tracker and not rivals:  # a rival makes the run between the look and the leap
            rivals.append(other.run("faces", "train", key).run_id)
            return None
        return find(self, experiment_id, key)

    monkeypatch.setattr(Tracker, "_find", blind_once)
    assert tracker.run("faces", "train", "k").run_id == rivals[0]
    assert len(tracker.client.search_runs([tracker.experiment("faces")])) == 1


def test_a_changed_parameter_is_one_line(tracker: Tracker):
    run = tracker.run("faces", "train", "k")
    run.log_params({"epochs": 3})
    with pytest.raises(TrackingError, match="epochs") as caught:
        run.log_params({"epochs": 4})
    assert "\n" not in str(caught.value)


def test_a_server_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    tracker = Tracker("http://someone:hunter2@127.0.0.1:1", tmp_path)
    with pytest.raises(TrackingError, match="MLflow at http://") as caught:
        tracker.run("faces", "train", "k")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_key_with_quotes_cannot_widen_a_search(tracker: Tracker):
    with pytest.raises(TrackingError, match="quotes"):
        tracker.run("faces", "train", "' or '1'='1")

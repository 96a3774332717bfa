"""MLflow goes away in the middle of a training: the training goes on, nothing is lost, nothing is told twice."""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.servers import free_port
from registry.errors import TrackingError, TrackingUnavailable
from registry.processes import is_gone, this_process
from registry.runs import Point
from registry.spool import LINES, Operation, Spool
from registry.tracking import Tracker

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class Server:
    """MLflow's server over a database that outlives it."""

    def __init__(self, database: Path) -> None:
        self.port = free_port()
        self._database = database
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--port", str(self.port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{self._database}", "--no-serve-artifacts"]
        command += ["--default-artifact-root", str(self._database.parent / "artifacts")]
        variables = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (self._database.parent / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **variables})
        deadline = time.monotonic() + 280
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self._database.parent / "server.log").read_text()
            try:
                if httpx.get(f"{self.url}/health", timeout=5).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.3)
        raise AssertionError("MLflow did not start")

    def stop(self) -> None:
        if self._process is not None:
            family = [*psutil.Process(self._process.pid).children(recursive=True), psutil.Process(self._process.pid)]
            for member in family:
                member.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def server(empty_mlflow: Path, tmp_path: Path) -> Iterator[Server]:
    database = tmp_path / "mlflow.db"
    database.write_bytes(empty_mlflow.read_bytes())
    made = Server(database)
    made.start()
    yield made
    made.stop()


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.timeout(900)
def test_a_training_outlives_an_outage_and_all_it_said_is_told_once(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    tracker = Tracker(server.url, tmp_path, spool=tmp_path / "spool")
    parent = tracker.run("faces", "job", "key")
    first = tracker.run_later("faces", "lmcl-x", "key/x", parent=parent.run_id, tags={"axis": "x"})
    first.log_points([Point("loss", 1, 0.9)])
    server.stop()
    first.log_points([Point("loss", 2, 0.8)])
    assert tracker.away()
    other = Tracker(server.url, tmp_path, spool=tmp_path / "spool")  # as in the process that trains
    other.reopen(first.run_id).log_points([Point("loss", 3, 0.7)])
    second = tracker.run_later("faces", "lmcl-y", "key/y", parent=parent.run_id, tags={"axis": "y"})
    second.log_params({"epochs": 3})
    other.reopen(second.run_id).log_points([Point("loss", 1, 0.5)])
    (tmp_path / "note.txt").write_text("as it was")
    second.log_file(tmp_path / "note.txt")
    (tmp_path / "note.txt").write_text("changed since")
    second.finish()
    with pytest.raises(TrackingUnavailable, match="MLflow at http"):
        tracker.reconcile()  # what a gate asks first
    with pytest.raises(TrackingUnavailable):
        second.reconcile()
    server.start()
    assert tracker.reconcile() == 2
    assert tracker.reconcile() == 0
    second.reconcile()
    runs = {run.data.tags["mlflow.runName"]: run for run in tracker.client.search_runs([tracker.experiment("faces")])}
    assert runs.keys() == {"job", "lmcl-x", "lmcl-y"}
    history = tracker.client.get_metric_history(first.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 0.9), (2, 0.8), (3, 0.7)]
    assert second.run_id == runs["lmcl-y"].info.run_id
    assert runs["lmcl-y"].info.status == "FINISHED"
    assert runs["lmcl-y"].data.params == {"epochs": "3"}
    assert runs["lmcl-y"].data.metrics == {"loss": 0.5}
    assert runs["lmcl-y"].data.tags["axis"] == "y"
    assert runs["lmcl-y"].data.tags["mlflow.parentRunId"] == parent.run_id
    kept = Path(tracker.client.download_artifacts(second.run_id, "note.txt"))
    assert kept.read_text() == "as it was"


def test_without_a_place_to_wait_an_outage_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    tracker = Tracker("http://127.0.0.1:1", tmp_path)
    for log in (lambda: tracker.run_later("faces", "a", "b"), lambda: tracker.reopen("0" * 32).log_params({"a": 1})):
        with pytest.raises(TrackingUnavailable, match="MLflow at http"):
            log()


def test_what_mlflow_refuses_does_not_wait(tracker: Tracker, tmp_path: Path):
    waiting = Tracker(tracker.tracking_uri, tmp_path, spool=tmp_path / "spool")
    run = waiting.run("faces", "train", "k")
    run.log_params({"epochs": 3})
    with pytest.raises(TrackingError, match="epochs") as caught:
        run.log_params({"epochs": 4})
    assert not isinstance(caught.value, TrackingUnavailable)
    assert waiting.reconcile() == 0


def add_many(folder: Path, who: int, count: int) -> None:
    for number in range(count):
        Spool(folder).add("run", Operation("points", {"who": who, "number": number}))


def test_processes_that_add_and_tell_at_once_lose_nothing_and_keep_each_ones_order(tmp_path: Path):
    count, told = 40, []
    writers = [
        multiprocessing.get_context("fork").Process(target=add_many, args=(tmp_path, who, count)) for who in range(3)
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        Spool(tmp_path).replay("run", told.append)
    Spool(tmp_path).replay("run", told.append)
    assert all(writer.exitcode == 0 for writer in writers)
    for who in range(3):
        assert [each.arguments["number"] for each in told if each.arguments["who"] == who] == list(range(count))


@given(st.lists(st.integers(), min_size=1, max_size=6), st.data())
def test_what_cannot_be_told_and_all_behind_it_go_on_waiting_and_a_torn_line_is_none(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], data: st.DataObject
):
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder)
    for number in numbers:
        spool.add("run", Operation("points", {"number": number}))
    path = folder / "run" / LINES
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    left = numbers[: whole[:cut].count(b"\n")]
    spool.add("run", Operation("points", {"number": -1}))
    fails_at = data.draw(st.integers(0, len(left)))
    told: list[int] = []

    def tell(operation: Operation) -> None:
        if len(told) == fails_at:
            raise TrackingUnavailable("away")
        told.append(operation.arguments["number"])

    with pytest.raises(TrackingUnavailable):
        spool.replay("run", tell)
    rest: list[int] = []
    spool.replay("run", lambda operation: rest.append(operation.arguments["number"]))
    assert told + rest == [*left, -1]
    assert not spool.has("run")


def test_runs_of_processes_that_are_gone_are_closed_and_no_others(tracker: Tracker):
    mine = tracker.run("faces", "train", "1")
    lost = tracker.run("faces", "train", "2")
    elsewhere = tracker.run("faces", "train", "3")
    host, pid, began = this_process().rsplit(":", 2)
    lost.set_tags({"trinormal.process": f"{host}:{pid}:{int(began) - 1000}"})
    elsewhere.set_tags({"trinormal.process": f"not-{host}:{pid}:{int(began) - 1000}"})
    assert tracker.sweep_lost() == (lost.run_id,)
    states = {run.run_id: tracker.client.get_run(run.run_id).info.status for run in (mine, lost, elsewhere)}
    assert states == {mine.run_id: "RUNNING", lost.run_id: "KILLED", elsewhere.run_id: "RUNNING"}


def test_a_process_is_gone_when_it_has_ended():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        host = this_process().rsplit(":", 2)[0]
        told = f"{host}:{child.pid}:{psutil.Process(child.pid).create_time():.0f}"
        assert not is_gone(told)
        child.kill()
        child.wait()
    assert is_gone(told)
    assert not is_gone("")
    assert not is_gone("nonsense")

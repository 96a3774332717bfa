"""A worse champion, forced into place, on a real Prefect server: the night finds it and a training starts by itself."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from flows.servers import HOST, free_port, private_prefect_server, running
from infra.database import open_engine
from infra.profiles import load_profile
from infra.settings import load_settings
from infra.store import ContentStore
from registry import ledger
from registry.packaging import fetch_graph, find_version
from registry.tracking import Tracker
from tasks.wiring import Workspace
from tests.flows.conftest import DEMO, FirstRun
from tests.flows.crowned import crown, damaged, registered
from tests.flows.trinormal_command import REPOSITORY, Sandbox, new_sandbox, run, seed_home

pytestmark = [pytest.mark.unproven, pytest.mark.slow, pytest.mark.servers, pytest.mark.timeout(2400)]
TINY = load_profile("tiny")
MODEL = TINY.model_name
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
LONGEST_S = 900.0


class Prefect(NamedTuple):
    """A server with our deployments and automations, and a runner that carries out what is asked for."""

    api: str
    sandbox: Sandbox
    workspace: Workspace

    def ask(self, method: str, path: str, body: object = None) -> Any:
        reply = httpx.request(method, f"{self.api}/{path}", json=body, timeout=120)
        assert reply.is_success, reply.text
        return reply.json()

    def runs_of(self, flow: str) -> list[dict[str, Any]]:
        wanted = {"flows": {"name": {"any_": [flow]}}, "sort": "START_TIME_ASC"}
        return self.ask("POST", "flow_runs/filter", wanted)

    def ended(self, flow: str, number: int = 0) -> dict[str, Any]:
        """The run of a flow, once it has ended."""
        deadline = time.monotonic() + LONGEST_S
        while time.monotonic() < deadline:
            found = self.runs_of(flow)
            if len(found) > number and found[number]["state"]["type"] in ENDED:
                return found[number]
            time.sleep(1)
        raise AssertionError(f"{flow}: {[each['state'] for each in self.runs_of(flow)]}; {self.told()}")

    def told(self) -> str:
        return (self.sandbox.home / "logs" / "runner.log").read_text()[-4000:]


def workspace_of(home: Path) -> Workspace:
    settings = load_settings(home=home, workers=1)
    engine = open_engine(settings.database_url.get_secret_value())
    tracker = Tracker(settings.mlflow_tracking_uri, settings.mlflow_artifacts)
    return Workspace(settings, ContentStore(settings.store), engine, tracker)


@pytest.fixture(scope="module")
def prefect(unbroken: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefect]:
    assert unbroken.code == 0, unbroken.errors
    sandbox = new_sandbox(tmp_path_factory.mktemp("regressed"))
    seed_home(unbroken.sandbox.home, sandbox.home, without=())
    first = run(sandbox, *DEMO)
    assert first.returncode == 0, first.stderr
    workspace = workspace_of(sandbox.home)
    sound = fetch_graph(workspace.tracker, find_version(workspace.tracker, MODEL, "1"))
    crown(workspace, registered(workspace, TINY, MODEL, damaged(sound), "damaged"))
    assert ledger.champion(workspace.engine, MODEL).version == "2"

    port, logs = free_port(), sandbox.home / "logs"
    api = f"http://{HOST}:{port}/api"
    variables = {"PREFECT_HOME": str(sandbox.home / "prefect"), "PREFECT_API_URL": api, "DO_NOT_TRACK": "true"}
    with running([private_prefect_server(port, logs)], variables), (logs / "runner.log").open("wb") as log:
        runner = subprocess.Popen(
            [sys.executable, "-m", "flows.runner"],
            env=sandbox.environment(**variables),
            cwd=REPOSITORY,
            stdout=log,
            stderr=log,
        )
        try:
            yield Prefect(api, sandbox, workspace)
        finally:
            runner.terminate()
            runner.wait(60)
            workspace.engine.dispose()


@pytest.fixture(scope="module")
def night(prefect: Prefect) -> dict[str, Any]:
    """The deployment of the night, asked for as its schedule would."""
    deadline = time.monotonic() + LONGEST_S
    while (reply := httpx.get(f"{prefect.api}/deployments/name/nightly/nightly", timeout=120)).status_code != 200:
        assert time.monotonic() < deadline, prefect.told()
        time.sleep(1)
    for each in prefect.ask("POST", "automations/filter", {}):
        if "new champion" in each["name"]:  # it would begin a night of the profile demo
            httpx.patch(
                f"{prefect.api}/automations/{each['id']}", json={"enabled": False}, timeout=120
            ).raise_for_status()
    body = {"parameters": {"request": {"profile": "tiny"}}, "state": {"type": "SCHEDULED"}}
    prefect.ask("POST", f"deployments/{reply.json()['id']}/create_flow_run", body)
    return prefect.ended("nightly")


def test_the_night_ends_well_and_says_that_the_champion_is_worse(prefect: Prefect, night: dict[str, Any]):
    assert night["state"]["type"] == "COMPLETED", prefect.told()
    shown = prefect.ask("POST", "artifacts/filter", {"artifacts": {"key": {"any_": ["night"]}}})
    assert shown[-1]["flow_run_id"] == night["id"]
    assert "**regressed**" in shown[-1]["data"]
    assert "a retraining was asked for" in shown[-1]["data"]


def test_the_training_starts_by_itself_with_the_profile_of_the_night(prefect: Prefect, night: dict[str, Any]):
    training = prefect.ended("train-recognizer")
    assert training["created_by"]["type"] == "AUTOMATION"
    assert training["parameters"] == {"request": {"profile": "tiny"}}
    assert training["state"]["type"] == "COMPLETED", prefect.told()


def test_the_sound_version_serves_again(prefect: Prefect, night: dict[str, Any]):
    prefect.ended("train-recognizer")
    assert ledger.champion(prefect.workspace.engine, MODEL).version == "1"
    assert find_version(prefect.workspace.tracker, MODEL, "@champion").version == "1"


def test_one_night_starts_one_training(prefect: Prefect, night: dict[str, Any]):
    assert len(prefect.runs_of("train-recognizer")) == 1
    assert (prefect.sandbox.home / "evaluations" / f"{MODEL}-tiny" / "nightly.html").is_file()

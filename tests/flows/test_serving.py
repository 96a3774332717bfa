"""`trinormal serve`: both servers, and a run started as the Prefect UI's Run button starts it."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from flows.servers import answers, free_port
from tests.flows.conftest import FirstRun
from tests.flows.trinormal_command import Sandbox, Watched, figures, new_sandbox, results_of, seed_home, started

pytestmark = [pytest.mark.slow, pytest.mark.servers, pytest.mark.timeout(1200)]
DEPLOYMENT = "train-recognizer/retrain"


class Served(NamedTuple):
    sandbox: Sandbox
    watched: Watched
    prefect: str
    mlflow: str
    deployment: dict[str, Any]


def call(url: str, body: object = None) -> tuple[int, Any]:
    """Status and answer of a GET, or of a POST where there is a body; a busy database (503) is asked again."""
    for wait in (0.5, 1, 2, 4, 8, 0):
        reply = httpx.get(url, timeout=60) if body is None else httpx.post(url, json=body, timeout=60)
        if reply.status_code != 503:
            break
        time.sleep(wait)
    return reply.status_code, reply.json() if reply.is_success else reply.text


@pytest.fixture(scope="module")
def served(unbroken: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The servers over a home that holds every artefact of profile tiny and no run yet."""
    assert unbroken.code == 0, unbroken.errors
    sandbox = new_sandbox(tmp_path_factory.mktemp("served"))
    seed_home(unbroken.sandbox.home, sandbox.home, without=())
    ports = free_port(), free_port()
    prefect, mlflow = (f"http://127.0.0.1:{port}" for port in ports)
    options = ("--prefect-port", str(ports[0]), "--mlflow-port", str(ports[1]))
    with started(sandbox, "serve", *options) as watched:
        watched.wait_until(lambda: answers(f"{prefect}/api/health") and answers(f"{mlflow}/health"))
        watched.wait_until(lambda: call(f"{prefect}/api/deployments/name/{DEPLOYMENT}")[0] == 200)
        yield Served(sandbox, watched, prefect, mlflow, call(f"{prefect}/api/deployments/name/{DEPLOYMENT}")[1])


def create_run(served: Served, request: object) -> tuple[int, Any]:
    url = f"{served.prefect}/api/deployments/{served.deployment['id']}/create_flow_run"
    return call(url, {"parameters": {"request": request}})


def test_the_form_says_what_each_parameter_means(served: Served):
    schema = served.deployment["parameter_openapi_schema"]
    (definition,) = schema["definitions"].values()
    assert definition["properties"].keys() == {"profile", "photos", "licence"}
    for property_ in definition["properties"].values():
        assert len(property_["description"]) > 10
    assert definition["additionalProperties"] is False
    assert served.deployment["enforce_parameter_schema"] is True


@pytest.mark.parametrize(
    "request_", [{"profile": 5}, {"profil": "tiny"}, {"profile": "tiny", "epochs": 3}, "tiny", None]
)
def test_a_parameter_that_makes_no_sense_is_refused(served: Served, request_: object):
    status, _ = create_run(served, request_)
    assert status in (409, 422)


def test_a_run_started_as_the_ui_does_ends_well_and_shows_its_table(unbroken: FirstRun, served: Served):
    status, run = create_run(served, {"profile": "tiny"})
    assert status == 201
    finished = wait_for(served, run["id"])
    assert finished["state"]["type"] == "COMPLETED", _logs(served, run["id"])
    _, artifacts = call(
        f"{served.prefect}/api/artifacts/filter", {"artifacts": {"key": {"any_": ["recognizer-results"]}}}
    )
    table = artifacts[-1]["data"]
    assert artifacts[-1]["flow_run_id"] == run["id"]
    ours = results_of(served.sandbox.home)
    assert f"{ours['benchmarks']['bu3dfe']['lmcl']['fused']:.3f}" in table
    assert figures(ours) == figures(results_of(unbroken.sandbox.home))
    _, found = call(f"{served.mlflow}/api/2.0/mlflow/registered-models/get?name=recognizer-tiny")
    assert [each["alias"] for each in found["registered_model"]["aliases"]] == ["champion"]


def wait_for(served: Served, run_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        served.watched.see_children()
        _, run = call(f"{served.prefect}/api/flow_runs/{run_id}")
        if run["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            return run
        time.sleep(0.5)
    raise AssertionError(f"still {run['state']}: {_logs(served, run_id)}")


def _logs(served: Served, run_id: str) -> str:
    _, lines = call(f"{served.prefect}/api/logs/filter", {"logs": {"flow_run_id": {"any_": [run_id]}}})
    return "\n".join(line["message"] for line in lines)


def test_a_run_on_a_folder_that_is_not_there_fails_with_our_words(served: Served):
    status, run = create_run(served, {"profile": "tiny", "photos": "/nowhere/at/all"})
    assert status == 201
    state = wait_for(served, run["id"])["state"]
    assert state["type"] == "FAILED"
    assert "/nowhere/at/all: no such folder" in state["message"]


def test_other_commands_show_their_runs_in_the_running_server(served: Served):
    note = json.loads((served.sandbox.home / "servers.json").read_text())
    assert note["prefect_api"] == f"{served.prefect}/api"


def test_ctrl_c_stops_everything(served: Served):
    """Stands last: it ends what the tests above use."""
    assert served.watched.end(signal.SIGINT) == 0
    assert [child.cmdline() for child in served.watched.living_children()] == []
    for url in (served.prefect, served.mlflow):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", int(url.rpartition(":")[2])))
    assert "Traceback" not in served.watched.printed
    assert not (served.sandbox.home / "servers.json").exists()


def test_servers_end_when_the_command_is_killed(sandbox: Sandbox):
    ports = free_port(), free_port()
    with started(sandbox, "serve", "--prefect-port", str(ports[0]), "--mlflow-port", str(ports[1])) as watched:
        watched.wait_until(
            lambda: all(
                answers(f"http://127.0.0.1:{port}{path}")
                for port, path in zip(ports, ("/api/health", "/health"), strict=True)
            )
        )
        assert watched.end(signal.SIGKILL) == -signal.SIGKILL
        assert [child.cmdline() for child in watched.living_children()] == []

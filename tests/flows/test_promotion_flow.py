"""Promotion as people meet it: the command, and a person's approval in a real Prefect server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from flows.servers import answers, free_port
from tests.faults.promotion_homes import MODEL, offer, opened, start_home
from tests.flows.trinormal_command import Sandbox, Watched, ask, new_sandbox, run, started
from tests.registry.conftest import empty_mlflow
from tests.registry.promotions import aliases

__all__ = ["empty_mlflow"]
pytestmark = [
    pytest.mark.unproven,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


def sandbox_with_candidates(folder: Path, empty_mlflow: Path, **serving: Any) -> Sandbox:
    sandbox = new_sandbox(folder)
    sandbox.home.rmdir()
    with start_home(sandbox.home, empty_mlflow) as workspace:
        offer(workspace, 1.0)
        offer(workspace, 2.0, **serving)
    return sandbox


@pytest.fixture(scope="module")
def commanded(empty_mlflow: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The commands one after the other, in one home; what each said."""
    sandbox = sandbox_with_candidates(tmp_path_factory.mktemp("commanded"), empty_mlflow, needs_approval=True)
    asked = {
        "dry run": ("promote", MODEL, "--dry-run"),
        "first": ("promote", MODEL, "1"),
        "again": ("promote", MODEL, "1"),
        "without approval": ("promote", MODEL),
        "approved": ("promote", MODEL, "--approve", "looked at the slices"),
        "rollback": ("rollback", MODEL, "--reason", "worse in the field"),
        "history": ("history", MODEL, "--out", str(sandbox.cwd / "history.json")),
        "unknown": ("history", "ears"),
    }
    told: dict[str, Any] = {name: run(sandbox, *words) for name, words in asked.items()}
    return {**told, "sandbox": sandbox}


def test_a_dry_run_tells_and_changes_nothing(commanded: dict[str, Any]):
    dry = commanded["dry run"]
    assert dry.returncode == 0, dry.stderr
    assert "rank1" in dry.stdout
    assert "a dry run changes nothing" in dry.stdout
    history = json.loads((commanded["sandbox"].cwd / "history.json").read_text())
    assert [entry["action"] for entry in history][:3] == ["candidate", "candidate", "pass"]


def test_a_version_becomes_champion_once(commanded: dict[str, Any]):
    assert commanded["first"].returncode == 0, commanded["first"].stderr
    assert f"{MODEL} version 1 is champion" in commanded["first"].stdout
    assert commanded["again"].returncode == 2
    assert commanded["again"].stderr.splitlines()[-1] == f"trinormal: {MODEL} version 1 is the champion already"


def test_who_needs_an_approval_is_not_waited_for_where_nobody_can_give_one(commanded: dict[str, Any]):
    refused = commanded["without approval"]
    assert refused.returncode == 2
    assert "a person has to agree: --approve WHY" in refused.stderr
    assert f"{MODEL} version 2 is champion" in commanded["approved"].stdout


def test_a_rollback_is_told_with_its_reason_and_the_history_is_whole(commanded: dict[str, Any]):
    assert f"{MODEL} version 1 is champion" in commanded["rollback"].stdout, commanded["rollback"].stderr
    history = json.loads((commanded["sandbox"].cwd / "history.json").read_text())
    assert [entry["action"] for entry in history][2:] == [
        *("pass", "promote", "confirm"),
        *("pass", "approve", "promote", "confirm"),
        *("roll back", "confirm"),
    ]
    assert history[6]["reason"] == "looked at the slices"
    assert history[6]["actor"]
    assert history[-2]["reason"] == "worse in the field"
    assert "the chain holds; champion 1, previous 2" in commanded["history"].stdout
    workspace = opened(commanded["sandbox"].home)
    assert aliases(workspace.tracker, MODEL) == {"champion": "1", "previous": "2"}
    workspace.engine.dispose()


def test_an_unknown_model_is_one_line_that_names_those_there_are(commanded: dict[str, Any]):
    assert commanded["unknown"].returncode == 2
    assert commanded["unknown"].stderr == f"trinormal: no model 'ears' in this home: have {MODEL}\n"


class Served(NamedTuple):
    """A running server over a home, and the deployment that promotes in it."""

    sandbox: Sandbox
    watched: Watched
    api: str
    deployment: str


def call(url: str, body: object = None) -> Any:
    """The answer of a GET, or of a POST where there is a body."""
    reply = httpx.get(url, timeout=60) if body is None else httpx.post(url, json=body, timeout=60)
    return reply.raise_for_status().json()


@pytest.fixture(scope="module")
def served(empty_mlflow: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    sandbox = sandbox_with_candidates(tmp_path_factory.mktemp("served"), empty_mlflow)
    ports = free_port(), free_port()
    api = f"http://127.0.0.1:{ports[0]}/api"
    options = ("--prefect-port", str(ports[0]), "--mlflow-port", str(ports[1]))
    with started(sandbox, "serve", *options) as watched:
        url = f"{api}/deployments/name/promote/promote"
        watched.wait_until(lambda: answers(url))
        yield Served(sandbox, watched, api, call(url)["id"])


def begin(served: Served, **request: Any) -> str:
    url = f"{served.api}/deployments/{served.deployment}/create_flow_run"
    return call(url, {"parameters": {"request": {"model": MODEL, **request}}})["id"]


def reach(served: Served, run_id: str, wanted: str) -> None:
    """Wait for a state; another end is a failure."""

    def is_there() -> bool:
        state = call(f"{served.api}/flow_runs/{run_id}")["state"]
        assert state["type"] in (wanted, "SCHEDULED", "PENDING", "RUNNING", "PAUSED"), state
        return state["type"] == wanted

    served.watched.wait_until(is_there)


def resume(served: Served, run_id: str, **answer: str) -> str:
    return call(f"{served.api}/flow_runs/{run_id}/resume", {"run_input": answer})["status"]


@pytest.mark.servers
def test_a_person_approves_or_rejects_in_the_ui(served: Served):
    first = begin(served, version="1", ask=True)
    reach(served, first, "PAUSED")
    assert resume(served, first, answer="perhaps", name="Ada", reason="x") == "REJECT"
    assert resume(served, first, answer="approve", name="Ada", reason="looked at the slices") == "ACCEPT"
    reach(served, first, "COMPLETED")

    second = begin(served, version="2", ask=True)
    reach(served, second, "PAUSED")
    assert resume(served, second, answer="reject", name="Grace", reason="too few women") == "ACCEPT"
    reach(served, second, "COMPLETED")

    workspace = opened(served.sandbox.home)
    assert aliases(workspace.tracker, MODEL) == {"champion": "1", "challenger": "2"}
    workspace.engine.dispose()
    entries = ask(served.sandbox.home / "trinormal.db", "select action, actor, reason from ledger order by position")
    assert entries[2:] == [
        ("pass", "Prefect UI", ""),
        ("approve", "Ada", "looked at the slices"),
        ("promote", "Ada", "looked at the slices"),
        ("confirm", "trinormal", ""),
        ("pass", "Prefect UI", ""),
        ("reject", "Grace", "too few women"),
    ]


@pytest.mark.servers
def test_the_verdict_is_shown_and_the_promotion_announced(served: Served):
    """Stands after the approval above: it reads what that left."""
    kept = {"artifacts": {"key": {"any_": [f"gate-{MODEL}"]}}}
    artifacts = call(f"{served.api}/artifacts/filter", kept)
    assert len(artifacts) == 2
    assert all("| rank1 | 0.95 | at least 0.9 | passed |" in each["data"] for each in artifacts)
    wanted = {"filter": {"event": {"name": ["trinormal.champion.promoted"]}}}
    events = call(f"{served.api}/events/filter", wanted)["events"]
    assert [event["payload"]["version"] for event in events] == ["1"]
    assert events[0]["resource"]["prefect.resource.id"] == f"trinormal.model.{MODEL}"

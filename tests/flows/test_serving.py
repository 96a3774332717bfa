"""`trinormal up`: servers and runner in the background, and runs started as the Prefect UI's Run button starts them."""

import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest

from flows.servers import answers, free_port
from tests.flows.conftest import FirstRun
from tests.flows.servers_up import Up, supervisor_family, until, up
from tests.flows.trinormal_command import Sandbox, figures, new_sandbox, results_of, run, seed_home, started

pytestmark = [pytest.mark.unproven, pytest.mark.slow, pytest.mark.servers, pytest.mark.timeout(2400)]
RETRAIN = "train-recognizer/retrain"
ZOMBIE_LIMIT_S = 90


@pytest.fixture(scope="module")
def servers(unbroken: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Servers over a home that holds every artefact of profile tiny and no run yet."""
    assert unbroken.code == 0, unbroken.errors
    sandbox = new_sandbox(tmp_path_factory.mktemp("up"))
    seed_home(unbroken.sandbox.home, sandbox.home, without=())
    with up(sandbox) as made:
        yield made.without_reactions()


def test_a_second_up_says_that_it_is_up_and_status_names_every_service(servers: Up):
    again = run(servers.sandbox, "up")
    assert again.returncode == 0, again.stderr
    assert "already up" in again.stdout
    told = run(servers.sandbox, "status")
    assert told.returncode == 0
    for word in ("prefect", "mlflow", "runner", servers.prefect.removesuffix("/api"), servers.mlflow):
        assert word in told.stdout


def test_the_form_says_what_each_parameter_means(servers: Up):
    schema = servers.deployment(RETRAIN)["parameter_openapi_schema"]
    (definition,) = schema["definitions"].values()
    assert definition["properties"].keys() >= {"profile", "photos", "licence"}
    for property_ in definition["properties"].values():
        assert len(property_["description"]) > 10
    assert definition["additionalProperties"] is False
    assert servers.deployment(RETRAIN)["enforce_parameter_schema"] is True


@pytest.mark.parametrize(
    "request_",
    [{"profile": 5}, {"profile": "huge"}, {"profil": "tiny"}, {"profile": "tiny", "epochs": 3}, "tiny", None],
)
def test_a_parameter_that_makes_no_sense_is_refused(servers: Up, request_: object):
    status, _ = servers.create_run(RETRAIN, request_)
    assert status in (409, 422)


def test_every_deployment_and_automation_is_there(servers: Up):
    """By name, apart from the code that offers them: what the README promises, and the night at 02:30."""
    _, found = servers.call("/deployments/filter", {"limit": 200})
    known = {each["name"]: each for each in found}
    assert known.keys() == {
        *("retrain", "train", "compare", "ablate", "run", "all", "nightly", "add", "promote", "rollback", "forget"),
    }
    assert len(found) == 12, "two flows are trained"
    assert [each["schedule"]["cron"] for each in known["nightly"]["schedules"]] == ["30 2 * * *"]
    assert {name for name, each in known.items() if each["schedules"]} == {"nightly"}
    assert {name for name, each in known.items() if not each["global_concurrency_limit"]} == {"promote", "rollback"}
    assert all(each["tags"] and len(each["description"]) > 20 for each in found)
    _, automations = servers.call("/automations/filter", {})
    names = {each["name"] for each in automations}
    assert {"trinormal: end runs without a heartbeat", "trinormal: retrain after a regression"} <= names


def test_a_run_started_as_the_ui_does_ends_well_and_each_side_leads_to_the_other(unbroken: FirstRun, servers: Up):
    status, flow_run = servers.create_run(RETRAIN, {"profile": "tiny"})
    assert status == 201
    finished = servers.wait_for(flow_run["id"])
    assert finished["state"]["type"] == "COMPLETED", servers.logs(flow_run["id"])
    artifacts = artifacts_of(servers, flow_run["id"])
    ours = results_of(servers.sandbox.home)
    assert f"{ours['benchmarks']['bu3dfe']['lmcl']['fused']:.3f}" in artifacts["recognizer-results"]
    assert figures(ours) == figures(results_of(unbroken.sandbox.home))
    for picture in ("gallery", "cmc"):
        assert artifacts[picture].startswith("data:image/jpeg;base64,")
    (parent,) = [each for each in servers.runs("recognizer") if "mlflow.parentRunId" not in each["tags"]]
    assert (
        f"{servers.mlflow}/#/experiments/{parent['experiment_id']}/runs/{parent['run_id']}" in artifacts["mlflow-run"]
    )
    assert "report.html" in artifacts["report-html"]
    ui = servers.prefect.removesuffix("/api")
    assert parent["tags"]["prefect.url"] == f"{ui}/runs/flow-run/{flow_run['id']}"
    model = servers.ask_mlflow("/registered-models/get?name=recognizer-tiny")["registered_model"]
    assert [each["alias"] for each in model["aliases"]] == ["champion"]


def artifacts_of(servers: Up, flow_run: str) -> dict[str, Any]:
    _, found = servers.call("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [flow_run]}}})
    return {each["key"]: each["data"] for each in found}


def test_every_run_says_what_it_was_made_of(servers: Up):
    for each in servers.runs("recognizer"):
        assert {"profile", "snapshot", "prefect.flow_run", "mlflow.source.git.commit"} - each["tags"].keys() <= {
            "prefect.flow_run",
            "mlflow.source.git.commit",  # an installed package has none
        }
        if each["tags"].get("network") == "sphere20":
            assert {"loss", "axis"} <= each["tags"].keys()


def test_a_run_on_a_folder_that_is_not_there_fails_with_our_words(servers: Up):
    status, flow_run = servers.create_run(RETRAIN, {"profile": "tiny", "photos": "/nowhere/at/all"})
    assert status == 201
    state = servers.wait_for(flow_run["id"])["state"]
    assert state["type"] == "FAILED"
    assert "/nowhere/at/all: no such folder" in state["message"]


def test_the_schedule_of_the_night_really_makes_runs(servers: Up):
    """Three different causes have broken this in silence: a deployment with a cron schedule and no run is none."""
    deployment = servers.deployment("nightly/nightly")["id"]

    def scheduled() -> list[dict[str, Any]]:
        asked = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}, "deployment_id": {"any_": [deployment]}}}
        _, found = servers.call("/flow_runs/filter", asked)
        return [each for each in found if each["auto_scheduled"]]

    runs = until(scheduled)
    moments = [datetime.fromisoformat(each["expected_start_time"]).astimezone(UTC) for each in runs]
    assert {(moment.hour, moment.minute) for moment in moments} == {(2, 30)}
    assert min(moments) > datetime.now(UTC)


def test_a_killed_run_is_known_to_be_dead_and_its_rerun_goes_on_where_it_was(servers: Up, unbroken: FirstRun):
    """SIGKILL of the runner and the flow in mid-flight: no process is left to report it."""
    for stage in ("sphere20", "evaluation"):
        remove_stage(servers.sandbox, stage)
    _, flow_run = servers.create_run(RETRAIN, {"profile": "tiny"})
    until(lambda: any((servers.sandbox.home / "scratch").glob("sphere20-*")))
    lost = family(servers.service("runner")["pid"])
    for member in lost:
        member.kill()
    psutil.wait_procs(lost, timeout=60)
    before = datetime.now(UTC)
    state = servers.wait_for(flow_run["id"], states=("CRASHED",), seconds=10 * ZOMBIE_LIMIT_S)["state"]
    assert "heartbeat" in state["message"]
    assert (datetime.fromisoformat(state["timestamp"]) - before).total_seconds() < 3 * ZOMBIE_LIMIT_S
    until(lambda: servers.service("runner")["state"] == "up" and servers.service("runner")["restarts"] >= 1)
    _, again = servers.create_run(RETRAIN, {"profile": "tiny"})
    finished = servers.wait_for(again["id"])
    assert finished["state"]["type"] == "COMPLETED", servers.logs(again["id"])
    assert figures(results_of(servers.sandbox.home)) == figures(results_of(unbroken.sandbox.home))
    keys = [each["tags"]["trinormal.key"] for each in servers.runs("recognizer")]
    assert len(keys) == len(set(keys)), "a rerun made a second run"
    assert {each["status"] for each in servers.runs("recognizer")} == {"FINISHED"}


def remove_stage(sandbox: Sandbox, stage: str) -> None:
    from infra.files import remove

    remove(sandbox.home / "store" / stage)


def family(pid: int) -> list[psutil.Process]:
    """The leash is not of it: it sees that the runner has ended, and ends what is left."""
    return [member for member in psutil.Process(pid).children(recursive=True) if member.pid != pid]


@pytest.mark.parametrize("name", ["prefect", "mlflow"])
def test_a_server_that_is_killed_comes_back_at_the_same_address(servers: Up, name: str):
    before = servers.service(name)
    for member in family(before["pid"]):
        member.kill()
    until(lambda: servers.service(name)["restarts"] > before["restarts"] and servers.service(name)["state"] == "up")
    assert answers(before["url"], timeout_s=60)


def test_down_stops_everything_and_status_says_so(servers: Up):
    """Stands last: it ends what the tests above use."""
    members = supervisor_family(servers.sandbox)
    assert len(members) > 3
    done = run(servers.sandbox, "down")
    assert done.returncode == 0, done.stderr
    psutil.wait_procs(members, timeout=60)
    assert [member.cmdline() for member in members if member.is_running()] == []
    for url in (servers.prefect.removesuffix("/api"), servers.mlflow):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", int(url.rpartition(":")[2])))
    told = run(servers.sandbox, "status")
    assert (told.returncode, told.stdout.strip()) == (1, "not up")
    assert run(servers.sandbox, "down").stdout.strip() == "nothing is up"


def test_a_port_in_use_is_one_line_where_it_was_asked_for(sandbox: Sandbox):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(sandbox, "up", "--prefect-port", port)
    assert done.returncode == 2
    assert done.stderr == f"trinormal: port {port} is in use; stop what uses it or choose another with --prefect-port\n"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_servers_in_the_foreground_end_with_the_command(sandbox: Sandbox, how: signal.Signals):
    ports = free_port(), free_port()
    with started(sandbox, "serve", "--prefect-port", str(ports[0]), "--mlflow-port", str(ports[1])) as watched:
        watched.wait_until(lambda: answers(f"http://127.0.0.1:{ports[1]}/health"))
        assert watched.end(how) == (0 if how == signal.SIGINT else -how)
        assert [child.cmdline() for child in watched.living_children()] == []
    assert (sandbox.home / "run" / "servers.json").exists()

"""`trinormal up` on a home of its own, and what to ask the servers; whatever happens, nothing is left running."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import psutil

from flows.servers import free_port
from tests.flows.trinormal_command import Sandbox, run

FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class Up(NamedTuple):
    """Servers that are up: how they were started, where they answer, and with which passwords."""

    sandbox: Sandbox
    prefect: str
    mlflow: str
    environment: dict[str, str]
    prefect_auth: tuple[str, str] | None = None
    mlflow_auth: tuple[str, str] | None = None

    def call(self, path: str, body: object = None) -> tuple[int, Any]:
        """Status and answer of Prefect's API; a busy database (503) is asked again."""
        for wait in (0.5, 1, 2, 4, 8, 16, 0):
            method = "GET" if body is None else "POST"
            reply = httpx.request(method, self.prefect + path, json=body, auth=self.prefect_auth, timeout=120)
            if reply.status_code != 503:
                break
            time.sleep(wait)
        return reply.status_code, reply.json() if reply.is_success else reply.text

    def ask_mlflow(self, path: str, body: object = None) -> Any:
        method = "GET" if body is None else "POST"
        reply = httpx.request(
            method, f"{self.mlflow}/api/2.0/mlflow{path}", json=body, auth=self.mlflow_auth, timeout=120
        )
        return reply.raise_for_status().json()

    def deployment(self, name: str) -> dict[str, Any]:
        status, found = self.call(f"/deployments/name/{name}")
        assert status == 200, found
        return found

    def create_run(self, name: str, request: object) -> tuple[int, Any]:
        """As the UI's Run button does it."""
        found = self.deployment(name)
        return self.call(f"/deployments/{found['id']}/create_flow_run", {"parameters": {"request": request}})

    def without_reactions(self) -> "Up":
        """A new champion is not evaluated by itself: that is minutes of work which no test here waits for."""
        _, found = self.call("/automations/filter", {})
        for each in (each for each in found if each["name"] == "trinormal: evaluate a new champion"):
            url = f"{self.prefect}/automations/{each['id']}"
            httpx.patch(url, json={"enabled": False}, auth=self.prefect_auth, timeout=120).raise_for_status()
        return self

    def wait_for(self, run_id: str, states: tuple[str, ...] = FINAL, seconds: float = 1200) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            _, found = self.call(f"/flow_runs/{run_id}")
            if found["state"]["type"] in states:
                return found
            time.sleep(2)
        raise AssertionError(f"still {found['state']}: {self.logs(run_id)}")

    def logs(self, run_id: str) -> str:
        _, lines = self.call("/logs/filter", {"logs": {"flow_run_id": {"any_": [run_id]}}})
        return "\n".join(line["message"] for line in lines)

    def note(self) -> dict[str, Any]:
        return json.loads((self.sandbox.home / "run" / "servers.json").read_text())

    def service(self, name: str) -> dict[str, Any]:
        (found,) = [each for each in self.note()["services"] if each["name"] == name]
        return found

    def runs(self, experiment: str) -> list[dict[str, Any]]:
        """All runs of an experiment in MLflow, their tags as a dictionary."""
        found = self.ask_mlflow(f"/experiments/get-by-name?experiment_name={experiment}")["experiment"]
        asked = {"experiment_ids": [found["experiment_id"]], "max_results": 1000}
        listed = self.ask_mlflow("/runs/search", asked).get("runs", [])
        return [{**each["info"], "tags": {tag["key"]: tag["value"] for tag in each["data"]["tags"]}} for each in listed]


def until(reached: Callable[[], Any], seconds: float = 600) -> Any:
    """What `reached` says as soon as it says something."""
    deadline = time.monotonic() + seconds
    while True:
        found = reached()
        if found:
            return found
        assert time.monotonic() < deadline, "never got there"
        time.sleep(0.3)


@contextlib.contextmanager
def up(sandbox: Sandbox, *options: str, **more: str) -> Iterator[Up]:
    """The command as a person types it; `down` at the end."""
    ports = free_port(), free_port()
    done = run(sandbox, "up", "--prefect-port", str(ports[0]), "--mlflow-port", str(ports[1]), *options, **more)
    try:
        assert done.returncode == 0, done.stderr + done.stdout
        yield Up(sandbox, f"http://127.0.0.1:{ports[0]}/api", f"http://127.0.0.1:{ports[1]}", more)
    finally:
        family = supervisor_family(sandbox)
        run(sandbox, "down", **more)
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()


def supervisor_family(sandbox: Sandbox) -> list[psutil.Process]:
    """The supervisor of a home and every process below it."""
    note = sandbox.home / "run" / "servers.json"
    if not note.is_file():
        return []
    told = json.loads(note.read_text())
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(told["pid"])
        if abs(process.create_time() - told["started"]) < 5:
            return [process, *process.children(recursive=True)]
    return []

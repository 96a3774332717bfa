"""Deployments on a work pool: made known twice they are there once, and a worker of the pool carries a run out."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from flows.servers import HOST, free_port, private_prefect_server, running
from tests.flows.trinormal_command import REPOSITORY, Sandbox, new_sandbox

pytestmark = [pytest.mark.unproven, pytest.mark.slow, pytest.mark.servers, pytest.mark.timeout(900)]
POOL = "trinormal"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return new_sandbox(tmp_path_factory.mktemp("pool"))


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[str]:
    port = free_port()
    address = f"http://{HOST}:{port}/api"
    told = {"PREFECT_HOME": str(sandbox.home / "prefect"), "PREFECT_API_URL": address, "DO_NOT_TRACK": "true"}
    with running([private_prefect_server(port, sandbox.home / "logs")], told):
        yield address


def ask(api: str, path: str, body: object = None) -> Any:
    reply = httpx.request("GET" if body is None else "POST", f"{api}/{path}", json=body, timeout=120)
    assert reply.is_success, reply.text
    return reply.json()


def runner(api: str, sandbox: Sandbox, *arguments: str) -> subprocess.Popen[bytes]:
    told = sandbox.environment(TRINORMAL_PREFECT_API_URL=api, PREFECT_API_URL=api, TRINORMAL_WORK_POOL=POOL)
    log = (sandbox.home / "logs" / "runner.log").open("ab")
    command = [sys.executable, "-m", "flows.runner", *arguments]
    return subprocess.Popen(command, env=told, cwd=REPOSITORY, stdout=log, stderr=log)


def told(sandbox: Sandbox) -> str:
    return (sandbox.home / "logs" / "runner.log").read_text()[-4000:]


def test_a_worker_of_the_pool_carries_a_run_out(api: str, sandbox: Sandbox, tmp_path: Path):
    first = runner(api, sandbox, "register")
    assert first.wait(600) == 0, told(sandbox)
    known = ask(api, "deployments/filter", {"limit": 200})
    assert {each["work_pool_name"] for each in known} == {POOL}
    assert ask(api, f"work_pools/{POOL}")["type"] == "process"
    for person in ("ada", "bob"):
        (tmp_path / "photos" / person).mkdir(parents=True)
        Image.new("RGB", (64, 64), "white").save(tmp_path / "photos" / person / "1.png")
    worker = runner(api, sandbox)
    try:
        deployment = ask(api, "deployments/name/ingest/add")["id"]
        request = {"folder": str(tmp_path / "photos"), "data_set": "folder"}
        asked = {"parameters": {"request": request}, "state": {"type": "SCHEDULED"}}
        run = ask(api, f"deployments/{deployment}/create_flow_run", asked)
        deadline = time.monotonic() + 600
        while (found := ask(api, f"flow_runs/{run['id']}"))["state"]["type"] not in ("COMPLETED", "FAILED", "CRASHED"):
            assert time.monotonic() < deadline, (found["state"], told(sandbox))
            assert worker.poll() is None, told(sandbox)
            time.sleep(0.5)
    finally:
        worker.terminate()
        worker.wait(60)
    assert found["state"]["type"] == "COMPLETED", (found["state"], told(sandbox))
    assert found["work_pool_name"] == POOL
    assert len(ask(api, "deployments/filter", {"limit": 200})) == len(known), "made known twice, they are there once"
    assert (sandbox.home / "trinormal.db").is_file()
    assert os.environ.get("TRINORMAL_WORK_POOL") is None

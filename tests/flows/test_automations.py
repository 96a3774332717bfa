"""Automations on a real Prefect server: made once, kept up to date, and what was switched off stays off."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr

from flows.servers import HOST, free_port, private_prefect_server, running

pytestmark = [pytest.mark.unproven, pytest.mark.slow, pytest.mark.servers, pytest.mark.timeout(900)]
ZOMBIES, RETRAIN, TELL = (
    "trinormal: end runs without a heartbeat",
    "trinormal: retrain after a regression",
    "trinormal: tell the webhook",
)
NAMES = ("train-recognizer/retrain", "nightly/nightly")


@pytest.fixture(scope="module")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own with an empty database."""
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    folder = tmp_path_factory.mktemp("prefect")
    port = free_port()
    api = f"http://{HOST}:{port}/api"
    quiet = {"PREFECT_HOME": str(folder), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_API_URL": api}
    told = {PREFECT_API_URL: api, PREFECT_CLIENT_MAX_RETRIES: 15}
    with running([private_prefect_server(port, folder)], quiet), temporary_settings(told):
        yield api


@pytest.fixture(scope="module")
def deployed(prefect_api: str) -> dict[str, UUID]:
    """Something to start, under the names of what is started; ours import what takes long."""
    from prefect import flow

    @flow
    def nothing() -> None:
        """Does nothing."""

    return {name: nothing.to_deployment(name.replace("/", "-")).apply() for name in NAMES}


def automations() -> dict[str, Any]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return {each.name: each for each in client.read_automations()}


def ids_of(prefect_api: str) -> dict[str, tuple[str, str]]:
    """Of each automation its id and that of its trigger, which is a new one whenever it is written."""
    found = httpx.post(f"{prefect_api}/automations/filter", json={}, timeout=120).raise_for_status().json()
    return {each["name"]: (each["id"], each["trigger"]["id"]) for each in found}


def test_applied_twice_they_are_there_once(prefect_api: str, deployed: dict[str, UUID]):
    from flows.automations import apply_automations

    first = set(apply_automations(deployed, None))
    ids = ids_of(prefect_api)
    assert first == ids.keys() >= {ZOMBIES, RETRAIN}
    apply_automations(deployed, None)
    assert ids_of(prefect_api) == ids, "one was written anew"


def test_one_that_was_switched_off_stays_off_and_others_peoples_are_left_alone(deployed: dict[str, UUID]):
    from prefect.automations import AutomationCore, EventTrigger
    from prefect.client.orchestration import get_client
    from prefect.events.actions import DoNothing

    from flows.automations import apply_automations

    apply_automations(deployed, None)
    with get_client(sync_client=True) as client:
        client.pause_automation(automations()[RETRAIN].id)
        client.create_automation(AutomationCore(name="mine", trigger=EventTrigger(), actions=[DoNothing()]))
    apply_automations(deployed, None)
    assert automations()[RETRAIN].enabled is False
    assert automations()[ZOMBIES].enabled is True
    apply_automations({}, None)
    assert automations().keys() == {ZOMBIES, "mine"}


def test_the_webhook_hears_of_a_regression_and_its_address_is_kept_secret(deployed: dict[str, UUID]):
    from prefect.client.orchestration import get_client

    from flows.automations import apply_automations
    from tasks.events import REGRESSED, tell

    heard: list[bytes] = []
    arrived = threading.Event()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer((HOST, 0), Listener) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        secret = f"http://{HOST}:{listener.server_port}/hooks/T0P-S3CRET"
        assert TELL in apply_automations(deployed, SecretStr(secret))
        with get_client(sync_client=True) as client:
            blocks = client.request("POST", "/block_documents/filter", json={}).text
        assert "trinormal-webhook" in blocks
        assert "T0P-S3CRET" not in blocks
        tell(REGRESSED, "recognizer", reason='rank-1 fell by "4" points')
        assert arrived.wait(120), "nothing was told"
        listener.shutdown()
    assert b'"trinormal.evaluation.regressed"' in heard[0]
    assert b"recognizer" in heard[0]
    assert b"rank-1 fell" in heard[0]
    assert b"T0P-S3CRET" not in b"".join(
        path.read_bytes() for path in Path(os.environ["PREFECT_HOME"]).rglob("*") if path.is_file()
    )
    assert TELL not in apply_automations(deployed, None)

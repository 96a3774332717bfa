"""Bars in Prefect's UI: told by its API, seldom, and never at the cost of the work."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tasks import live_progress
from tasks.live_progress import LiveProgress
from tasks.progress import track


class Api(HTTPServer):
    """Notes what is asked, and answers as Prefect does."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any, str | None]] = []
        self.status = 201
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append((self.command, self.path, body, self.headers["Authorization"]))
                self.send_response(server.status)
                self.end_headers()
                self.wfile.write(b'{"id": "an-id"}')

            do_POST = do_PATCH = answer  # noqa: N815 - their names are the standard library's

            def log_message(self, *_: object) -> None:
                """Quiet."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr(live_progress, "EVERY_S", -1.0)
    with Api() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{made.server_port}/api")
        monkeypatch.delenv("PREFECT_API_AUTH_STRING", raising=False)
        yield made
        made.shutdown()
        thread.join()


def test_a_bar_is_made_once_and_then_moved_to_its_end(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "me:secret")
    bar = LiveProgress("flow-run", "lmcl-x of ExpNet")
    for done in (1, 2, 4):
        bar.moved(done, 4)
    assert [(method, path, body["data"]) for method, path, body, _ in api.asked] == [
        ("POST", "/api/artifacts/", 25.0),
        ("PATCH", "/api/artifacts/an-id", 50.0),
        ("PATCH", "/api/artifacts/an-id", 100.0),
    ]
    assert api.asked[0][2]["key"] == "progress-lmcl-x-of-expnet"
    assert api.asked[0][2]["flow_run_id"] == "flow-run"
    assert api.asked[0][3] == f"Basic {base64.b64encode(b'me:secret').decode()}"


def test_quick_work_and_work_of_no_flow_show_no_bar(api: Api, monkeypatch: pytest.MonkeyPatch):
    LiveProgress(None, "photos").moved(1, 2)
    monkeypatch.setattr(live_progress, "EVERY_S", 1000.0)
    for done in (1, 2):
        LiveProgress("flow-run", "photos").moved(done, 2)
    assert list(track([1, 2, 3], "photos")) == [1, 2, 3]
    assert api.asked == []


def test_a_server_that_refuses_is_left_alone_and_the_work_goes_on(api: Api):
    api.status = 503
    bar = LiveProgress("flow-run", "photos")
    for done in range(1, 5):
        bar.moved(done, 4)
    assert len(api.asked) == 1

"""How far a long piece of work is, as a bar in Prefect's UI; told by its API, so that any process may tell it."""

import os
import re
import time
from contextlib import suppress
from typing import Any

import httpx

EVERY_S = 3.0
PATIENCE_S = 5.0


class LiveProgress:
    """The progress artifact `title` of a flow run. Nothing is told where no flow run or no server is known.

    It never stops the work: once it cannot be told it is not tried again.
    """

    def __init__(self, flow_run: str | None, title: str) -> None:
        self._api = os.environ.get("PREFECT_API_URL", "") if flow_run else ""
        self._flow_run = flow_run
        self._title = title
        self._artifact: str | None = None
        self._last = time.monotonic()

    def moved(self, done: int, total: int) -> None:
        """`done` of `total`; told at most every few seconds, and at the end if it was told before."""
        due = time.monotonic() - self._last > EVERY_S
        ended = done >= total and self._artifact is not None
        if not self._api or not (due or ended):
            return
        self._last = time.monotonic()
        percent = round(100.0 * done / max(total, 1), 1)
        told = False
        with suppress(httpx.HTTPError, KeyError, ValueError):
            self._tell(percent)
            told = True
        if not told:
            self._api = ""

    def _tell(self, percent: float) -> None:
        if self._artifact is None:
            key = f"progress-{re.sub(r'[^a-z0-9]+', '-', self._title.lower()).strip('-')}"
            body = {"key": key, "type": "progress", "description": self._title, "data": percent}
            self._artifact = str(
                self._call("POST", "/artifacts/", {**body, "flow_run_id": self._flow_run}).json()["id"]
            )
        else:
            self._call("PATCH", f"/artifacts/{self._artifact}", {"data": percent})

    def _call(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        user, _, password = os.environ.get("PREFECT_API_AUTH_STRING", "").partition(":")
        auth = (user, password) if user else None
        reply = httpx.request(method, self._api.rstrip("/") + path, json=body, auth=auth, timeout=PATIENCE_S)
        return reply.raise_for_status()


def current_flow_run() -> str | None:
    """The flow run that this thread works for; None outside of one."""
    from prefect.runtime import flow_run

    return flow_run.get_id()

"""Requests with a foreign Host or Origin are refused, whatever they ask for."""

import asyncio
from typing import Any

import pytest

from flows.guard import Guard, addresses

HOSTS = addresses(4200, ("prefect.example.org",))


def asked(kind: str, *headers: tuple[str, str]) -> tuple[bool, list[dict[str, Any]]]:
    """Whether the application behind was reached, and what was answered."""
    reached: list[str] = []
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def receive() -> Any:
        raise AssertionError("nothing to receive")

    scope = {"type": kind, "headers": [(name.encode(), value.encode()) for name, value in headers]}
    asyncio.run(Guard(app, HOSTS)(scope, receive, send))
    return bool(reached), sent


@pytest.mark.parametrize("host", ["127.0.0.1:4200", "localhost:4200", "LocalHost:4200", "prefect.example.org"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_our_own_names_are_answered(host: str, kind: str):
    assert asked(kind, ("host", host)) == (True, [])
    assert asked(kind, ("host", host), ("origin", f"http://{host.lower()}"))[0]
    assert asked(kind, ("host", host), ("origin", "http://localhost:4200"))[0]


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("host", ""),),
        (("host", "evil.example"),),
        (("host", "127.0.0.1:4201"),),
        (("host", "127.0.0.1:4200.evil.example"),),
        (("host", "evil.example#127.0.0.1:4200"),),
        (("host", "127.0.0.1:4200"), ("host", "evil.example")),
        (("host", "127.0.0.1:4200"), ("origin", "http://evil.example")),
        (("host", "127.0.0.1:4200"), ("origin", "null")),
        (("host", "127.0.0.1:4200"), ("origin", "http://127.0.0.1:4200.evil.example")),
        (("host", "127.0.0.1:4200"), ("origin", "http://127.0.0.1:8080")),
        (("host", "127.0.0.1:4200"), ("origin", "http://localhost:4200"), ("origin", "http://evil.example")),
    ],
)
def test_foreign_names_are_refused(headers: tuple[tuple[str, str], ...]):
    reached, sent = asked("http", *headers)
    assert not reached
    assert sent[0]["status"] == 403
    reached, sent = asked("websocket", *headers)
    assert not reached
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_start_and_stop_pass():
    assert asked("lifespan")[0]

"""An ASGI layer that answers only requests meant for this server: it refuses foreign `Host` and `Origin` headers.

Without it any page that a browser shows could talk to a server on this machine (DNS rebinding, cross-site WebSockets).
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
POLICY_VIOLATION = 1008


class Guard:
    """`app`, for requests whose Host is one of `hosts` (name:port) and whose Origin, if any, is a page of theirs."""

    def __init__(self, app: App, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = frozenset(f"{scheme}://{host}" for host in self._hosts for scheme in ("http", "https"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is meant for us; answer everything else with 403."""
        if scope["type"] not in ("http", "websocket") or self._meant_for_us(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": b"this server does not answer to that name\n"})

    def _meant_for_us(self, scope: Scope) -> bool:
        hosts = _all(scope, b"host")
        origins = _all(scope, b"origin")
        return len(hosts) == 1 and hosts[0] in self._hosts and all(origin in self._origins for origin in origins)


def addresses(port: int, more: Iterable[str] = ()) -> tuple[str, ...]:
    """The names under which a local server is asked; `more` are those of a proxy in front of it."""
    return (f"127.0.0.1:{port}", f"localhost:{port}", *more)


def _all(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").lower() for key, value in scope["headers"] if key.lower() == name]

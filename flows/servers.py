"""Local servers as child processes: started, waited for, stopped together, and never left behind."""

import atexit
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from models.errors import ConfigurationError

HOST = "127.0.0.1"
LEASH = Path(__file__).with_name("leash.py")
START_S = 300.0


class Server(NamedTuple):
    """A command, where it answers when it is up, and where its output goes."""

    name: str
    command: list[str]
    health_url: str
    log: Path


def private_prefect_server(port: int, logs: Path) -> Server:
    """Prefect's API for the flows of one process: no UI, no schedules."""
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    command += ["--host", HOST, "--port", str(port), "--log-level", "error"]
    return Server("Prefect", command, f"http://{HOST}:{port}/api/health", logs / "prefect.log")


def start_private_prefect(logs: Path) -> Callable[[], None]:
    """Give this process a Prefect server of its own, unless it knows one; the answer waits until the server is up.

    To be called before Prefect's import. Prefect's own temporary server outlives a killed parent; ours does not. It is
    stopped at exit, and since what is registered first runs last, after Prefect has sent its last events.
    """
    if "PREFECT_API_URL" in os.environ:
        return _no_wait
    port = free_port()
    variables = {"PREFECT_API_URL": f"http://{HOST}:{port}/api"}
    server_only = {"PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1", "PREFECT_SERVER_UI_ENABLED": "false"}
    stack = ExitStack()
    atexit.register(stack.close)
    wait = stack.enter_context(_launched([private_prefect_server(port, logs)], variables | server_only))
    os.environ.update(variables)
    return wait


def _no_wait() -> None:
    """The server is up already."""


def free_port() -> int:
    """A port that nothing uses at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def require_free(port: int, option: str) -> None:
    """Raise `ConfigurationError` when something listens on `port` already."""
    if not is_free(port):
        raise ConfigurationError(f"port {port} is in use; stop what uses it or choose another with {option}")


@contextmanager
def running(servers: list[Server], environment: Mapping[str, str]) -> Generator[None]:
    """All servers up while the block runs; raises `ConfigurationError` naming the log of one that does not start."""
    with _launched(servers, environment) as wait:
        wait()
        yield


@contextmanager
def _launched(servers: list[Server], environment: Mapping[str, str]) -> Generator[Callable[[], None]]:
    """All servers on their way while the block runs; what is yielded waits for them."""
    started: list[subprocess.Popen[bytes]] = []

    def wait() -> None:
        for server, process in zip(servers, started, strict=True):
            _wait(server, process)

    try:
        for server in servers:
            server.log.parent.mkdir(parents=True, exist_ok=True)
            with server.log.open("ab") as log:
                command = [sys.executable, "-I", str(LEASH), str(os.getpid()), *server.command]
                started.append(subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment}))
        yield wait
    finally:
        for process in started:
            process.terminate()
        for process in started:
            end_of(process)


def answers(url: str, timeout_s: float = 2.0) -> bool:
    """Whether something says 200 at `url`."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as reply:  # noqa: S310 - our own http address
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while not answers(server.health_url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ConfigurationError(f"{server.name} did not start; {server.log} says why")
        time.sleep(0.3)


def end_of(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, wait, and kill it if it does not."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

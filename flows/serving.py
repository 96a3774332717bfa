"""`trinormal up`, `down` and `status`, and `serve` for those who want the servers in the foreground."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
from rich import box
from rich.console import Console
from rich.table import Table

from flows.credentials import Credentials, choose_credentials, keys_file, known_credentials
from flows.keeping import Standing
from flows.servers import answers, free_port, is_free, require_free
from flows.services import plan_services
from flows.standing import Note, read_note, standing_note, supervised, supervisor_process
from flows.supervisor import stop_at_signals, supervise
from infra.settings import Settings, load_settings
from models.errors import ConfigurationError

console = Console()
PREFECT_PORT, MLFLOW_PORT = 4200, 5000
START_S, STOP_S = 1200.0, 60.0
FAILED_STARTS = 3
UNAUTHORIZED = 401


class Asked(NamedTuple):
    """Ports and passwords as asked for on the command line; None: as before, or the usual ones."""

    prefect_port: int | None = None
    mlflow_port: int | None = None
    auth: bool | None = None


def up(asked: Asked) -> None:
    """Start the servers in the background and wait until all are well; that they are already up is fine."""
    settings = load_settings()
    note = standing_note(settings.home)
    if note is None:
        ports = _prepare(settings, asked)
        console.print("starting Prefect, MLflow and the runner ...")
        note = _wait(settings.home, _detach(settings.home, *ports))
    else:
        console.print(f"already up (process {note.pid})")
    _require_accepted(settings, note)
    _tell(settings, note)


def serve(asked: Asked) -> None:
    """The same in the foreground, until Ctrl-C or SIGTERM: for containers and service managers."""
    settings = load_settings()
    if supervised(settings.home):
        raise ConfigurationError("the servers are up already; trinormal down stops them")
    ports = _prepare(settings, asked)
    credentials = known_credentials(settings)
    plan = plan_services(settings, credentials, *ports)
    stop = threading.Event()
    stop_at_signals(stop)
    console.print(f"Prefect  {plan.prefect.removesuffix('/api')}\nMLflow   {plan.mlflow}")
    console.print("Ctrl-C stops both servers and the runner")
    supervise(plan, settings.home, credentials.secrets(), stop)


def down() -> None:
    """Stop what `up` started, the runner first to be asked; that nothing runs is fine."""
    home = load_settings().home
    note = standing_note(home)
    process = supervisor_process(note) if note is not None else None
    if process is None:
        console.print("nothing is up")
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except psutil.TimeoutExpired:
        process.kill()  # its children see that it is gone and end
        process.wait(STOP_S)
    console.print("stopped")


def status() -> bool:
    """Print how every service is; whether all are up."""
    settings = load_settings()
    note = standing_note(settings.home)
    if note is None:
        last = read_note(settings.home)
        lost = last is not None and any(service.state != "stopped" for service in last.services)
        console.print("not up" + (": ended without being stopped; trinormal up starts it again" if lost else ""))
        return False
    _tell(settings, note)
    return note.all_up


def use_running_server(settings: Settings) -> None:
    """Let a command's flows show up in the servers that run, with their passwords, if they answer."""
    note = standing_note(settings.home)
    if note is None or "PREFECT_API_URL" in os.environ or not answers(f"{note.prefect}/health"):
        return
    os.environ["PREFECT_API_URL"] = note.prefect
    os.environ.update(known_credentials(settings).variables())
    os.environ.setdefault("TRINORMAL_PREFECT_UI_URL", note.prefect.removesuffix("/api"))
    os.environ.setdefault("TRINORMAL_MLFLOW_UI_URL", note.mlflow)
    if note.tracking_uri:
        os.environ["TRINORMAL_MLFLOW_TRACKING_URI"] = os.environ["MLFLOW_TRACKING_URI"] = note.tracking_uri


def _prepare(settings: Settings, asked: Asked) -> tuple[int, int]:
    """Ports that are free, passwords, folders."""
    last = read_note(settings.home)
    used = (last.prefect.removesuffix("/api"), last.mlflow) if last is not None else ("", "")
    prefect = _port(asked.prefect_port, "--prefect-port", used[0], PREFECT_PORT, ())
    mlflow = _port(asked.mlflow_port, "--mlflow-port", used[1], MLFLOW_PORT, (prefect,))
    if prefect == mlflow:
        raise ConfigurationError(f"both servers on port {prefect}; choose two ports")
    choose_credentials(settings, asked.auth)
    settings.mlflow_artifacts.mkdir(parents=True, exist_ok=True)
    return prefect, mlflow


def _port(asked: int | None, option: str, used: str, usual: int, taken: tuple[int, ...]) -> int:
    """What is asked for has to be free; else the last one or the usual one, or any where those are in use."""
    if asked is not None:
        require_free(asked, option)
        return asked
    last = used.rpartition(":")[2]
    wished = [int(last)] if last.isdigit() else []
    free = next((port for port in (*wished, usual) if port not in taken and is_free(port)), None)
    return free or free_port()


def _detach(home: Path, prefect_port: int, mlflow_port: int) -> subprocess.Popen[bytes]:
    """A supervisor that outlives this command and its terminal."""
    log = home / "logs" / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "flows.supervisor", str(prefect_port), str(mlflow_port)]
    with log.open("wb") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=home
        )


def _wait(home: Path, supervisor: subprocess.Popen[bytes]) -> Note:
    """Until all services are well. Raises `ConfigurationError` naming the log of the one that is not."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if supervisor.poll() is not None:
            raise ConfigurationError(f"the supervisor ended; {home / 'logs' / 'supervisor.log'} says why")
        note = standing_note(home)
        if note is not None and note.pid == supervisor.pid:
            if note.all_up:
                return note
            _require_starting(note, supervisor)
        time.sleep(0.3)
    raise ConfigurationError(f"not up within {START_S:.0f} s, and still starting; trinormal status tells how it goes")


def _require_starting(note: Note, supervisor: subprocess.Popen[bytes]) -> None:
    for service in note.services:
        if service.restarts >= FAILED_STARTS:
            supervisor.terminate()
            supervisor.wait()
            raise ConfigurationError(f"{service.name} does not start: {service.reason}; {service.log} says why")


def _require_accepted(settings: Settings, note: Note) -> None:
    """Raise `ConfigurationError` when MLflow, which remembers its first password, does not know ours."""
    credentials = known_credentials(settings)
    if credentials.mlflow is None:
        return
    who = (credentials.mlflow_user, credentials.mlflow.get_secret_value())
    url = f"{note.mlflow}/api/2.0/mlflow/users/get"
    reply = httpx.get(url, params={"username": who[0]}, auth=who, timeout=60)
    if reply.status_code == UNAUTHORIZED:
        raise ConfigurationError(
            f"MLflow knows another password for {who[0]}: give the one it was first started with "
            "(TRINORMAL_MLFLOW_PASSWORD), or change it in MLflow"
        )


def _tell(settings: Settings, note: Note) -> None:
    credentials = known_credentials(settings)
    shown = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("service", "state", "process", "restarts", "log"):
        shown.add_column(column)
    for service in note.services:
        shown.add_row(*_row(service))
    console.print(shown)
    console.print(f"Prefect  {note.prefect.removesuffix('/api')}   deployments; retrain from its form", soft_wrap=True)
    console.print(f"MLflow   {note.mlflow}   runs to compare, models and their champions", soft_wrap=True)
    if credentials != Credentials(flask_key=credentials.flask_key):
        console.print(f"passwords are asked for; those made here are in {keys_file(settings.home)}", soft_wrap=True)


def _row(service: Standing) -> tuple[str, ...]:
    colour = {"up": "green", "starting": "yellow", "waiting": "yellow"}.get(service.state, "red")
    state = f"[{colour}]{service.state}[/]" + (
        f": {service.reason}" if service.reason and service.state != "up" else ""
    )
    return service.name, state, str(service.pid or "-"), str(service.restarts), service.log

"""What is known of the servers of a home: whether a supervisor works, and what it last noted."""

import fcntl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from flows.keeping import Standing
from flows.services import Plan
from infra.files import atomic_write_json
from tasks.files import read_json


class Note(NamedTuple):
    """Where the servers answer, by which address flows reach MLflow, who supervises, and how each service is."""

    pid: int
    started: float
    prefect: str
    mlflow: str
    tracking_uri: str
    services: tuple[Standing, ...]

    @property
    def all_up(self) -> bool:
        """Whether every service is up."""
        return bool(self.services) and all(service.state == "up" for service in self.services)


def lock_file(home: Path) -> Path:
    """Held by the supervisor as long as it lives."""
    return home / "run" / "supervisor.lock"


def note_file(home: Path) -> Path:
    """What the supervisor last wrote."""
    return home / "run" / "servers.json"


def write_note(home: Path, pid: int, started: float, plan: Plan, services: Sequence[Standing]) -> None:
    """Note how things are; only where flows reach MLflow by its server does the note say so: a database's address may
    hold a password.
    """
    tracking = plan.tracking_uri if plan.tracking_uri.startswith(("http:", "https:")) else ""
    told: dict[str, Any] = {"pid": pid, "started": started, "prefect": plan.prefect, "mlflow": plan.mlflow}
    told |= {"tracking_uri": tracking, "services": [service._asdict() for service in services]}
    atomic_write_json(note_file(home), told)


def read_note(home: Path) -> Note | None:
    """The last note, of a supervisor that may be gone."""
    path = note_file(home)
    if not path.is_file():
        return None
    told = read_json(path)
    services = tuple(Standing(**service) for service in told["services"])
    return Note(told["pid"], told["started"], told["prefect"], told["mlflow"], told["tracking_uri"], services)


def supervised(home: Path) -> bool:
    """Whether a supervisor works: its lock ends with it, so neither a crash nor a reboot deceives."""
    path = lock_file(home)
    if not path.is_file():
        return False
    with path.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def standing_note(home: Path) -> Note | None:
    """The note of the supervisor that works now; None where none does."""
    return read_note(home) if supervised(home) else None


def supervisor_process(note: Note) -> psutil.Process | None:
    """The process that wrote the note, if it still is that process."""
    try:
        process = psutil.Process(note.pid)
        same = abs(process.create_time() - note.started) < 1
    except psutil.NoSuchProcess:
        return None
    return process if same else None

"""The process that keeps the servers and the runner alive: `python -m flows.supervisor PREFECT_PORT MLFLOW_PORT`.

It holds a lock as long as it lives, which no crash and no reboot can leave behind; what it knows stands in a note.
"""

import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import psutil

from flows.credentials import known_credentials
from flows.keeping import Circle, Keeper, Pace
from flows.services import Plan, plan_services
from flows.standing import lock_file, write_note
from infra.environment import environment
from infra.settings import load_settings
from models.errors import ConfigurationError

TRIES = 10


def supervise(
    plan: Plan, home: Path, secrets: tuple[str, ...], stop: threading.Event, pace: Pace | None = None
) -> None:
    """Keep every service of the plan until `stop` is set. Raises `ConfigurationError` when another supervisor works."""
    with _alone(home):
        keepers: dict[str, Keeper] = {}
        noting, born = threading.Lock(), psutil.Process().create_time()

        def changed() -> None:
            with noting:
                write_note(home, os.getpid(), born, plan, [keeper.standing() for keeper in keepers.values()])

        def ready(name: str) -> bool:
            return all(keepers[other].state == "up" for other in keepers[name].service.after)

        def released(name: str) -> bool:
            return all(each.state == "stopped" for each in keepers.values() if name in each.service.after)

        for service in plan.services:
            name = service.name
            circle = Circle(stop, partial(ready, name), partial(released, name), changed)
            keepers[name] = Keeper(service, home / "logs", secrets, circle, pace)
        changed()
        threads = [threading.Thread(target=keeper.run, name=name) for name, keeper in keepers.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


@contextmanager
def _alone(home: Path) -> Generator[None]:
    path = lock_file(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as held:
        if not any(_taken(held) for _ in range(TRIES)):
            raise ConfigurationError("the servers are up already; see trinormal status")
        yield


def _taken(lock: IO[bytes]) -> bool:
    """Somebody who only looks whether the lock is held holds it for a moment."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(0.1)
        return False
    return True


def stop_at_signals(stop: threading.Event) -> None:
    """SIGTERM, SIGINT and SIGHUP set `stop`."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _signal, _frame: stop.set())


def main(prefect_port: int, mlflow_port: int) -> None:
    """Supervise what the settings ask for until SIGTERM."""
    settings = load_settings()
    os.environ.update(environment(settings))
    credentials = known_credentials(settings)
    stop = threading.Event()
    stop_at_signals(stop)
    plan = plan_services(settings, credentials, prefect_port, mlflow_port)
    supervise(plan, settings.home, credentials.secrets(), stop)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

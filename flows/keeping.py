"""One service kept running: started, looked at, started again when it ends or no longer answers, stopped at the end."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from flows.servers import LEASH, answers, end_of
from flows.service_logs import ServiceLog
from flows.services import Service

State = Literal["waiting", "starting", "up", "down", "stopped"]


class Pace(NamedTuple):
    """Seconds: between looks while it starts and when it is up; how long it may take to start or not answer; the first
    and the longest pause before it is started again; how long it has to stay up for the pause to be short again; how
    long it waits at the end for those that need it.
    """

    starting: float = 0.5
    up: float = 5.0
    start_within: float = 900.0
    silent_for: float = 180.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    steady: float = 60.0
    last_words: float = 25.0


class Standing(NamedTuple):
    """How a service is."""

    name: str
    state: State
    pid: int | None
    restarts: int
    reason: str
    url: str | None
    log: str


class Circle(NamedTuple):
    """What a keeper knows of the others: when to stop, whether those it needs are up, whether those that need it have
    ended, and whom to tell that it has changed.
    """

    stop: threading.Event
    ready: Callable[[], bool]
    released: Callable[[], bool]
    changed: Callable[[], None]


class Keeper:
    """Keeps one service; `run` is for a thread of its own and returns when it is to stop and the service has ended."""

    def __init__(
        self, service: Service, logs: Path, secrets: tuple[str, ...], circle: Circle, pace: Pace | None = None
    ) -> None:
        self.service = service
        self.state: State = "waiting"
        self.pid: int | None = None
        self.restarts = 0
        self.reason = ""
        self._path = logs / f"{service.name}.log"
        self._log = ServiceLog(self._path, secrets)
        self._circle = circle
        self._stop = circle.stop
        self._pace = pace or Pace()

    def standing(self) -> Standing:
        """How it is now."""
        name, url = self.service.name, self.service.health_url
        return Standing(name, self.state, self.pid, self.restarts, self.reason, url, str(self._path))

    def run(self) -> None:
        """Start, watch, start again."""
        pause = self._pace.first_pause
        while not self._stop.is_set():
            if not self._circle.ready():
                self._stop.wait(self._pace.starting)
                continue
            began = time.monotonic()
            self._once()
            if self._stop.is_set():
                break
            steady = time.monotonic() - began > self._pace.steady
            pause = self._pace.first_pause if steady else min(2 * pause, self._pace.longest_pause)
            self.restarts += 1
            self._tell("down", None)
            self._stop.wait(pause)
        self._tell("stopped", None)
        self._log.close()

    def _once(self) -> None:
        """From the start of a process to its end."""
        if self.service.ready_file is not None:
            self.service.ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-I", str(LEASH), str(os.getpid()), *self.service.command]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._environment()
        )
        pump = self._log.follow(process.stdout) if process.stdout else None
        self._tell("starting", process.pid)
        try:
            self.reason = self._watch(process)
            self._let_others_go_first()
        finally:
            end_of(process)
        if pump is not None:
            pump.join(timeout=5)
        self._log.write(f"-- {self.service.name}: {self.reason}")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.service.environment}

    def _watch(self, process: subprocess.Popen[bytes]) -> str:
        """Look at it until it ends or has to be ended; why."""
        heard = time.monotonic()
        while not self._stop.wait(self._pace.up if self.state == "up" else self._pace.starting):
            code = process.poll()
            if code is not None:
                return f"ended with code {code}"
            if self._well():
                heard = time.monotonic()
                if self.state != "up":
                    self._tell("up", process.pid)
            patience = self._pace.silent_for if self.state == "up" else self._pace.start_within
            if time.monotonic() - heard > patience:
                return f"did not answer for {patience:.0f} s"
        return "stopped"

    def _let_others_go_first(self) -> None:
        """A flow run that is stopped tells its server so."""
        deadline = time.monotonic() + self._pace.last_words
        while self._stop.is_set() and not self._circle.released() and time.monotonic() < deadline:
            time.sleep(self._pace.starting)

    def _well(self) -> bool:
        url, file = self.service.health_url, self.service.ready_file
        return (file is None or file.exists()) and (url is None or answers(url, timeout_s=10))

    def _tell(self, state: State, pid: int | None) -> None:
        self.state, self.pid = state, pid
        self._circle.changed()

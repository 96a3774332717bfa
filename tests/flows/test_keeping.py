"""Services are kept running: after a crash, when they fall silent, and no longer than their supervisor."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from flows.keeping import Pace
from flows.servers import free_port
from flows.service_logs import ServiceLog
from flows.services import Plan, Service
from flows.standing import Note, read_note, standing_note, supervised, supervisor_process
from flows.supervisor import supervise
from models.errors import ConfigurationError

QUICK = Pace(starting=0.05, up=0.05, start_within=60, silent_for=1.0, first_pause=0.05, longest_pause=0.2, steady=60)
WEB = """
import http.server, pathlib, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if pathlib.Path(sys.argv[2]).exists():
            import time; time.sleep(600)
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
print("listening", sys.argv[3], flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
SUPERVISOR = """
import signal, sys, threading, pathlib
from flows.services import Plan, Service
from flows.supervisor import stop_at_signals, supervise
stop = threading.Event()
stop_at_signals(stop)
service = Service("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], {})
supervise(Plan("", "", "", (service,)), pathlib.Path(sys.argv[1]), (), stop)
"""


def until(reached: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "never got there"
        time.sleep(0.02)


def note_of(home: Path) -> Note:
    note = read_note(home)
    assert note is not None
    return note


@contextlib.contextmanager
def supervising(home: Path, *services: Service) -> Iterator[threading.Thread]:
    stop = threading.Event()
    plan = Plan("http://prefect/api", "http://mlflow", "sqlite:///x", services)
    thread = threading.Thread(target=supervise, args=(plan, home, ("hunter2",), stop, QUICK))
    thread.start()
    try:
        until(lambda: read_note(home) is not None and supervised(home))
        yield thread
    finally:
        stop.set()
        thread.join(60)
    assert not supervised(home)


@contextlib.contextmanager
def started(code: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", code, *arguments])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def web(home: Path, name: str = "web", after: tuple[str, ...] = ()) -> Service:
    port = free_port()
    command = [sys.executable, "-c", WEB, str(port), str(home / "silent"), "password=hunter2 http://me:secret@host/"]
    return Service(name, command, {}, f"http://127.0.0.1:{port}/", after=after)


def test_a_service_that_is_killed_is_started_again_and_ends_with_its_supervisor(tmp_path: Path):
    with supervising(tmp_path, web(tmp_path)):
        until(lambda: note_of(tmp_path).all_up)
        (first,) = note_of(tmp_path).services
        assert first.pid is not None
        child = psutil.Process(first.pid).children()[0]
        child.kill()
        until(lambda: note_of(tmp_path).services[0].restarts == 1 and note_of(tmp_path).all_up)
        (second,) = note_of(tmp_path).services
        assert second.pid not in (None, first.pid)
        children = psutil.Process(second.pid).children()
    assert not any(child.is_running() for child in children)
    assert note_of(tmp_path).services[0].state == "stopped"


def test_a_service_that_no_longer_answers_is_ended_and_started_again(tmp_path: Path):
    with supervising(tmp_path, web(tmp_path)):
        until(lambda: note_of(tmp_path).all_up)
        (tmp_path / "silent").touch()
        until(lambda: note_of(tmp_path).services[0].restarts >= 1)
        (tmp_path / "silent").unlink()
        until(lambda: note_of(tmp_path).all_up)
    assert "did not answer" in (tmp_path / "logs" / "web.log").read_text()


def test_one_that_needs_another_waits_for_it(tmp_path: Path):
    blocked = web(tmp_path, "blocked", after=("never",))
    never = Service("never", [sys.executable, "-c", "raise SystemExit(3)"], {}, "http://127.0.0.1:9/")
    with supervising(tmp_path, never, blocked):
        until(lambda: note_of(tmp_path).services[0].restarts >= 2)
        assert note_of(tmp_path).services[1].state == "waiting"
        assert note_of(tmp_path).services[0].reason == "ended with code 3"


def test_at_the_end_the_one_that_is_needed_ends_last(tmp_path: Path):
    needed = web(tmp_path, "needed")
    late = f"""import pathlib, signal, sys, time, urllib.request
def last_words(*_):
    time.sleep(0.5)
    pathlib.Path({str(tmp_path / "answered")!r}).write_text(str(urllib.request.urlopen({needed.health_url!r}).status))
    sys.exit()
signal.signal(signal.SIGTERM, last_words)
pathlib.Path({str(tmp_path / "ready")!r}).touch()
time.sleep(600)"""
    needing = Service("needing", [sys.executable, "-c", late], {}, ready_file=tmp_path / "ready", after=("needed",))
    with supervising(tmp_path, needed, needing):
        until(lambda: note_of(tmp_path).all_up)
    assert (tmp_path / "answered").read_text() == "200"


def test_it_is_up_when_it_says_that_it_is_ready(tmp_path: Path):
    ready = tmp_path / "ready"
    ready.touch()  # what an earlier one left
    slow = f"import pathlib, time; time.sleep(1); pathlib.Path({str(ready)!r}).touch(); time.sleep(600)"
    with supervising(tmp_path, Service("slow", [sys.executable, "-c", slow], {}, ready_file=ready)):
        until(lambda: note_of(tmp_path).services[0].state == "starting")
        assert not ready.exists()
        until(lambda: note_of(tmp_path).all_up)
        assert ready.exists()


def test_logs_hold_no_password_and_a_second_supervisor_is_refused(tmp_path: Path):
    with supervising(tmp_path, web(tmp_path)):
        until(lambda: note_of(tmp_path).all_up)
        with pytest.raises(ConfigurationError, match="up already"):
            supervise(Plan("", "", "", ()), tmp_path, (), threading.Event())
        until(lambda: "listening" in (tmp_path / "logs" / "web.log").read_text())
    said = (tmp_path / "logs" / "web.log").read_text()
    assert "password=***" in said
    assert "hunter2" not in said
    assert "secret" not in said


def test_a_log_is_renewed_before_it_grows_beyond_its_limit_and_few_old_ones_are_kept(tmp_path: Path):
    log = ServiceLog(tmp_path / "web.log", (), largest=1000)
    for number in range(1000):
        log.write(f"line {number}")
    log.close()
    files = sorted(tmp_path.glob("web.log*"))
    assert len(files) == 6
    assert all(file.stat().st_size <= 1000 for file in files)
    assert (tmp_path / "web.log").read_text().splitlines()[-1] == "line 999"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_of_a_supervisor_however_it_ends(tmp_path: Path, how: signal.Signals):
    with started(SUPERVISOR, str(tmp_path)) as supervisor:
        until(lambda: (note := standing_note(tmp_path)) is not None and note.all_up)
        note = standing_note(tmp_path)
        assert note is not None
        assert note.pid == supervisor.pid
        family = psutil.Process(supervisor.pid).children(recursive=True)
        supervisor.send_signal(how)
        supervisor.wait(60)
    psutil.wait_procs(family, timeout=60)
    assert not any(member.is_running() for member in family)
    assert not supervised(tmp_path)
    assert standing_note(tmp_path) is None


def test_a_process_number_that_somebody_else_has_now_is_not_taken_for_the_supervisor():
    mine = psutil.Process()
    assert supervisor_process(Note(os.getpid(), mine.create_time(), "", "", "", ())) == mine
    assert supervisor_process(Note(os.getpid(), mine.create_time() - 3600, "", "", "", ())) is None

"""A server on its leash ends with whoever wanted it, however that one ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from flows.servers import LEASH, Server, free_port, running

SLEEPER = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(600)"
OWNER = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-I", sys.argv[1], str(os.getpid()), sys.executable, "-c", sys.argv[2]])
time.sleep(600)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPER


def gone(pid: int, seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_command_ends_when_its_owner_is_gone(how: signal.Signals):
    with subprocess.Popen([sys.executable, "-c", OWNER, str(LEASH), SLEEPER], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert psutil.pid_exists(pid)
        owner.send_signal(how)
        owner.wait()
        assert gone(pid)


@pytest.mark.slow
def test_a_command_that_does_not_listen_is_killed():
    command = [sys.executable, "-I", str(LEASH), str(os.getpid()), sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as leash:
        assert leash.stdout is not None
        pid = int(leash.stdout.readline())
        leash.terminate()
        leash.wait(30)
        assert gone(pid)


def test_ctrl_c_is_left_to_the_owner_and_the_exit_code_is_passed_on():
    code = "import sys, time; print(1, flush=True); sys.stdin.readline(); sys.exit(7)"
    command = [sys.executable, "-I", str(LEASH), str(os.getpid()), sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as leash:
        assert leash.stdout is not None
        assert leash.stdin is not None
        leash.stdout.readline()
        leash.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert leash.poll() is None
        leash.stdin.write(b"\n")
        leash.stdin.close()
        assert leash.wait(30) == 7


def test_servers_are_up_inside_the_block_and_gone_after_it(tmp_path: Path):
    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    server = Server("files", command, f"http://127.0.0.1:{port}/", tmp_path / "logs" / "files.log")
    with pytest.raises(ZeroDivisionError), running([server], {}):
        children = psutil.Process().children(recursive=True)
        assert any(str(port) in child.cmdline() for child in children)
        raise ZeroDivisionError
    assert not [child for child in children if child.is_running() and str(port) in child.cmdline()]

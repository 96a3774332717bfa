"""Runs a command and ends it when the process that wanted it is gone, however that went (SIGKILL included).

Started by its file name, apart from our packages: `python -I leash.py OWNER COMMAND...`, where OWNER is the process
number of the parent. SIGTERM ends both; Ctrl-C is left to the owner, who tidies up in its own order.
"""

import os
import signal
import subprocess
import sys
import threading

LOOK_EVERY_S = 0.2
GRACE_S = 8.0


def hold(owner: int, command: list[str]) -> int:
    """Run `command` until it ends, until SIGTERM, or until `owner` is no longer the parent; its exit code."""
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: asked.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(command, start_new_session=True)
    while child.poll() is None and os.getppid() == owner and not asked.wait(LOOK_EVERY_S):
        pass
    return _end(child)


def _end(child: subprocess.Popen[bytes]) -> int:
    """The whole group is asked first, and killed if it does not listen."""
    for how, seconds in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, None)):
        try:
            os.killpg(child.pid, how)
        except ProcessLookupError:
            break
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    return child.wait()


if __name__ == "__main__":
    sys.exit(abs(hold(int(sys.argv[1]), sys.argv[2:])))

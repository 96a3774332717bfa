"""Whether Ctrl-C was pressed: threads that wait for a child process ask here, since only the main thread is told."""

import signal
import threading
from types import FrameType

pressed = threading.Event()


def notice_ctrl_c() -> None:
    """From now on a first Ctrl-C also sets `pressed`; it still ends the main thread as `KeyboardInterrupt`."""
    signal.signal(signal.SIGINT, _notice)


def _notice(number: int, frame: FrameType | None) -> None:
    pressed.set()
    signal.default_int_handler(number, frame)

"""Every commit of a process, to our database and to MLflow's, as a place where it can be cut off.

The places are found by running the thing once and counting: before a commit reaches the disk, after it, and around
whatever calls `PLACES.reach` itself.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from registry import ledger

ROOMS = (f"{Path(ledger.__file__).parent}{os.sep}", "/mlflow/store/model_registry/", "/mlflow/store/tracking/")
OURS = ("ledger.promote", "ledger.roll_back", "ledger.give_back", "ledger.confirm", "registered_model_alias", "event")


class Places:
    """Counts places reached; at the chosen one it does what it was told to."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self._at, self._act = -1, lambda: None

    def cut(self, at: int, act: Callable[[], None]) -> None:
        """From now on count anew, and `act` at the place of that number."""
        self.reached, self._at, self._act = [], at, act

    def reach(self, name: str) -> None:
        self.reached.append(name)
        if len(self.reached) - 1 == self._at:
            self._act()


PLACES = Places()


def watch() -> None:
    """Count the commits of this process from now on; once."""
    if not event.contains(Session, "after_commit", _after):
        event.listen(Engine, "commit", _before)
        event.listen(Session, "after_commit", _after)


def die() -> None:
    """As a power cut would: no handler runs, nothing is flushed."""
    os.kill(os.getpid(), signal.SIGKILL)


def is_ours(place: str) -> bool:
    """Whether something of a promotion is written there, not only read."""
    return any(name in place for name in OURS)


def _before(_: Any) -> None:
    PLACES.reach(f"before {_committing()}")


def _after(_: Any) -> None:
    PLACES.reach(f"after {_committing()}")


def _committing() -> str:
    """Which function of the registry, or of MLflow's store, commits."""
    frame = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        inner = code.co_name.startswith("_") or code.co_name == "make_managed_session"
        if any(room in code.co_filename for room in ROOMS) and not inner:
            return f"{Path(code.co_filename).stem}.{code.co_name}"
        frame = frame.f_back
    return "elsewhere"

"""What could not be told to MLflow while it was away: kept on disk, told in order once it answers again.

One file a run, an operation a line. A line is written in one piece, and a torn last one is none. Telling may happen
twice when it is interrupted; every operation of a run bears that.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple
from uuid import uuid4

from infra.files import atomic_write_text

LINES, FILES, OPENED = "operations.jsonl", "files", "run_id"


class Operation(NamedTuple):
    """A change of a run, as data."""

    name: str
    arguments: dict[str, Any]


class Spool:
    """The operations of many runs that wait, below `folder`; for any number of processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def waiting(self) -> list[str]:
        """The runs for which something waits."""
        return sorted(path.parent.name for path in self._folder.glob(f"*/{LINES}"))

    def has(self, run: str) -> bool:
        """Whether something waits for a run."""
        return (self._folder / run / LINES).exists()

    def add(self, run: str, operation: Operation) -> None:
        """Put an operation behind those that wait."""
        with self._locked(run) as folder:
            self._write(folder, operation)

    def keep_file(self, run: str, path: Path) -> str:
        """A copy of a file as it is now; its place."""
        kept = self._folder / run / FILES / uuid4().hex / path.name
        kept.parent.mkdir(parents=True)
        shutil.copyfile(path, kept)
        return str(kept)

    def replay(self, run: str, apply: Callable[[Operation], None]) -> None:
        """Carry out what waits, in order; what raises and all behind it go on waiting."""
        if not self.has(run):
            return
        with self._locked(run) as folder:
            operations = _read(folder / LINES)
            for done, operation in enumerate(operations):
                try:
                    apply(operation)
                except BaseException:
                    _replace(folder / LINES, operations[done:])
                    raise
            (folder / LINES).unlink(missing_ok=True)
            shutil.rmtree(folder / FILES, ignore_errors=True)

    @contextmanager
    def _locked(self, run: str) -> Generator[Path]:
        folder = self._folder / run
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder

    def opened(self, run: str) -> str | None:
        """The id that MLflow gave to a run which waited for being made."""
        path = self._folder / run / OPENED
        return path.read_text() if path.exists() else None

    def note_opened(self, run: str, run_id: str) -> None:
        """Keep the id for other processes that know the run by its waiting name."""
        atomic_write_text(self._folder / run / OPENED, run_id)

    def _write(self, folder: Path, operation: Operation) -> None:
        with (folder / LINES).open("a+b") as file:
            file.truncate(_whole(file))
            file.write(_line(operation))
            file.flush()
            os.fsync(file.fileno())


def _whole(file: IO[bytes]) -> int:
    """The length up to the last line break: what a crash cut off goes."""
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def _line(operation: Operation) -> bytes:
    return (json.dumps([operation.name, operation.arguments]) + "\n").encode()


def _read(path: Path) -> list[Operation]:
    if not path.exists():
        return []
    whole = path.read_bytes().split(b"\n")[:-1]  # what stands behind the last line break was cut off by a crash
    return [Operation(*json.loads(line)) for line in whole if line]


def _replace(path: Path, operations: list[Operation]) -> None:
    partial = path.with_name(f"{path.name}.new")
    partial.write_bytes(b"".join(map(_line, operations)))
    partial.replace(path)

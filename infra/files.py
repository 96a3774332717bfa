"""Files that are whole or absent: written beside the target, flushed to the disk, then renamed over it."""

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from infra.errors import StoreError

PARTIAL = ".partial"
FLUSH_EACH = 16
"""Up to so many files of a folder are flushed one by one."""
_staging: ContextVar[tuple[Path, ...]] = ContextVar("staging", default=())
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}


def sha256_bytes(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical_json(value: object) -> str:
    """One text per value: keys sorted, no spaces, no NaN. Raises `TypeError` or `ValueError` on anything else."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data`; a crash or a full disk leaves the old content. Makes missing folders.

    Inside a folder that `atomic_directory` yielded it is a plain write: that folder is flushed as a whole at its end.
    Raises `StoreError` where the disk is full or may not be written.
    """
    partial = partial_path(path)
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if any(path.is_relative_to(folder) for folder in _staging.get()):
            path.write_bytes(data)
            return
        try:
            with partial.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


@contextmanager
def atomic_path(target: Path) -> Generator[Path]:
    """Yield a path to write a large file to, a part at a time; it becomes `target` when the block ends.

    When the block raises nothing is left, and what was at `target` stays. Raises `StoreError` as `atomic_write_bytes`.
    """
    partial = partial_path(target)
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync_directory(target.parent)


def atomic_write_text(path: Path, text: str) -> None:
    """`atomic_write_bytes` of UTF-8."""
    atomic_write_bytes(path, text.encode())


def atomic_write_json(path: Path, value: object) -> None:
    """`atomic_write_bytes` of indented JSON with sorted keys; NaN is refused."""
    atomic_write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


@contextmanager
def atomic_directory(target: Path) -> Generator[Path]:
    """Yield an empty folder that becomes `target` when the block ends and vanishes when it raises.

    Raises `FileExistsError` when `target` is there by then (of two writers the second one loses) and `StoreError`
    where the disk is full or may not be written.
    """
    partial = partial_path(target)
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
        token = _staging.set((*_staging.get(), partial))
        try:
            yield partial
            sync_tree(partial)
            _rename_folder(partial, target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        finally:
            _staging.reset(token)
        sync_directory(target.parent)


def sweep_partials(root: Path, older_than: timedelta = timedelta(days=1)) -> tuple[Path, ...]:
    """Remove what crashed writers left below `root` and nobody has touched for `older_than`; returns what went."""
    deadline = time.time() - older_than.total_seconds()
    swept: list[Path] = []
    for folder, subfolders, files in os.walk(root):
        partials = [name for name in (*subfolders, *files) if name.startswith(".") and name.endswith(PARTIAL)]
        subfolders[:] = [name for name in subfolders if name not in partials]
        for path in (Path(folder, name) for name in partials):
            if _last_touched(path) <= deadline:
                remove(path)
                swept.append(path)
    return tuple(swept)


def remove(path: Path) -> None:
    """Remove a file or a whole folder; absent is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def partial_path(target: Path) -> Path:
    """A new name beside `target` that readers ignore and `sweep_partials` knows."""
    return target.with_name(f".{target.name[:150]}.{uuid4().hex}{PARTIAL}")


def sync_directory(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(root: Path) -> None:
    """Make every file and folder below `root` durable; many files by one flush of everything, which is far cheaper."""
    if sum(len(files) for _, _, files in os.walk(root)) > FLUSH_EACH:
        os.sync()
        return
    for folder, _, files in os.walk(root):
        for name in files:
            descriptor = os.open(Path(folder, name), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_directory(Path(folder))


def _rename_folder(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError:
        if target.exists():
            raise FileExistsError(f"{target} already exists") from None
        raise


@contextmanager
def _explained(target: Path) -> Generator[None]:
    """Turn a full or read-only disk into one line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise StoreError(f"{target}: {error.strerror}; free some space or set TRINORMAL_HOME elsewhere") from error


def _last_touched(path: Path) -> float:
    """The newest change at or below `path`; a writer that has just renamed it away counts as active."""
    try:
        return max(entry.lstat().st_mtime for entry in (path, *path.rglob("*")))
    except FileNotFoundError:
        return float("inf")

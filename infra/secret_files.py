"""Small files that only their owner may read: never for a moment open to others, and refused when they are."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from infra.errors import SettingsError
from infra.files import partial_path, sync_directory

OWNER_ONLY = 0o600
FOLDER_OWNER_ONLY = 0o700
OTHERS = 0o077


def write_secret(path: Path, text: str) -> None:
    """Replace `path` by `text`, readable by its owner alone; whole or absent. Makes missing folders, closed as well."""
    partial = _beside(path, text.encode())
    try:
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def keep_secret(path: Path, content: bytes) -> None:
    """The same for what is made once: a file that is there already stays, of two makers at once the first one's."""
    partial = _beside(path, content)
    try:
        with suppress(FileExistsError):
            path.hardlink_to(partial)
    finally:
        partial.unlink()
    sync_directory(path.parent)


def open_to_others(path: Path) -> bool:
    """Whether anybody but its owner may read or write a file; raises `FileNotFoundError`."""
    return bool(path.stat().st_mode & OTHERS)


def read_secret(path: Path) -> str | None:
    """What `write_secret` wrote; None where nothing is. Raises `SettingsError` when others may read the file."""
    try:
        exposed = open_to_others(path)
    except FileNotFoundError:
        return None
    if exposed:
        raise SettingsError(f"{path} may be read by others: chmod 600 {path}, and change the passwords in it")
    return path.read_text(encoding="utf-8")


def read_secret_json(path: Path) -> dict[str, Any]:
    """A JSON object in a secret file; empty where there is none. Raises `SettingsError` when it cannot be read."""
    text = read_secret(path)
    try:
        found = json.loads(text) if text is not None else {}
    except json.JSONDecodeError as error:
        raise SettingsError(f"{path} is not JSON ({error.msg}); remove it, and passwords are made anew") from None
    return found


def _beside(path: Path, content: bytes) -> Path:
    """The content in a new file beside `path`, flushed to the disk."""
    path.parent.mkdir(mode=FOLDER_OWNER_ONLY, parents=True, exist_ok=True)
    partial = partial_path(path)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return partial

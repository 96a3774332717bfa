"""Small files that only their owner may read: never for a moment open to others, and refused when they are."""

import json
import os
from pathlib import Path
from typing import Any

from infra.errors import SettingsError
from infra.files import partial_path, sync_directory

OWNER_ONLY = 0o600
FOLDER_OWNER_ONLY = 0o700
OTHERS = 0o077


def write_secret(path: Path, text: str) -> None:
    """Replace `path` by `text`, readable by its owner alone; whole or absent. Makes missing folders, closed as well."""
    path.parent.mkdir(mode=FOLDER_OWNER_ONLY, parents=True, exist_ok=True)
    partial = partial_path(path)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def read_secret(path: Path) -> str | None:
    """What `write_secret` wrote; None where nothing is. Raises `SettingsError` when others may read the file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if mode & OTHERS:
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

"""Keys on disk, apart from what they open: one of this home and one a person, in files that only their owner reads."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from infra.errors import KeyRefused
from infra.files import sync_directory
from infra.sealing import KEY_BYTES, new_key
from infra.secret_files import keep_secret, open_to_others

HOME = "home.key"
_NAME = re.compile(r"[0-9a-f]{32}")


class KeyFolder:
    """Keys below `root`. The name of a person's key is random: it tells nothing about whose it is."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def home(self) -> bytes:
        """The key of this home, made at its first use; of two that make it at once both get the same."""
        path = self.root / HOME
        if not path.exists():
            keep_secret(path, new_key())
        return _read(path)

    def create(self) -> str:
        """The name of a new key."""
        name = uuid4().hex
        keep_secret(self._path(name), new_key())
        return name

    def read(self, name: str) -> bytes:
        """A key by its name; raises `KeyRefused` where it is gone or others could have read it."""
        return _read(self._path(name))

    def has(self, name: str) -> bool:
        """Whether the key is still there."""
        return self._path(name).is_file()

    def names(self) -> Iterator[str]:
        """The names of all keys of people."""
        for path in sorted((self.root / "people").glob("*.key")):
            if _NAME.fullmatch(path.stem):
                yield path.stem

    def age(self, name: str) -> timedelta:
        """How long ago a key was made; nothing where it is gone."""
        try:
            return timedelta(seconds=max(0.0, time.time() - self._path(name).stat().st_mtime))
        except FileNotFoundError:
            return timedelta(0)

    def destroy(self, name: str) -> None:
        """Overwrite a key, flush, unlink, flush; absent is fine. A disk that copies on write may keep old blocks."""
        path = self._path(name)
        with suppress(FileNotFoundError):
            with path.open("rb+") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            sync_directory(path.parent)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeyRefused(f"{name!r} names no key: the database was tampered with")
        return self.root / "people" / f"{name}.key"


def _read(path: Path) -> bytes:
    try:
        if open_to_others(path):
            raise KeyRefused(f"{path}: other people may read this key: chmod 600 it, and renew what it opened")
        key = path.read_bytes()
    except FileNotFoundError:
        raise KeyRefused(f"{path}: this key is gone, and what it opened with it") from None
    if len(key) != KEY_BYTES:
        raise KeyRefused(f"{path}: {len(key)} bytes are no key of {KEY_BYTES}: restore it from a backup")
    return key

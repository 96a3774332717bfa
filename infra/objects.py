"""Where a shared store keeps its objects: a folder that several machines mount, or a bucket at any fsspec URL.

An object is whole or absent, and its name is a path of plain parts. Whatever goes wrong is a `StoreError`.
"""

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from infra.errors import StoreError
from infra.files import PARTIAL, atomic_path, partial_path, remove


class Objects(Protocol):
    """Bytes by name."""

    def read(self, name: str) -> bytes | None:
        """The bytes, or None where there is no such object."""
        ...

    def fetch(self, name: str, target: Path) -> None:
        """Copy an object into a file; raises `StoreError` where there is none."""
        ...

    def put(self, name: str, source: Path) -> None:
        """Store the content of a file; an object of that name is replaced."""
        ...

    def put_new(self, name: str, data: bytes) -> bool:
        """Store bytes unless the name is taken; of several writers at once exactly one gets True."""
        ...

    def names(self, folder: str) -> Iterator[str]:
        """All names below a folder, sorted."""
        ...

    def remove(self, folder: str) -> None:
        """Remove all objects below a folder; none is fine."""
        ...


def open_objects(url: str) -> Objects:
    """A bucket where `url` names a protocol (s3://bucket/below), else a folder."""
    protocol, separator, rest = url.partition("://")
    if not separator or protocol == "file":
        return FolderObjects(Path(rest if separator else url).expanduser().absolute())
    return BucketObjects(url.rstrip("/"))


class FolderObjects:
    """Files below `root`, which may lie on a network file system."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, name: str) -> bytes | None:
        """See `Objects`."""
        with _explained(str(self.root)):
            try:
                return (self.root / name).read_bytes()
            except FileNotFoundError:
                return None

    def fetch(self, name: str, target: Path) -> None:
        """See `Objects`."""
        with _explained(str(self.root)):
            shutil.copyfile(self.root / name, target)

    def put(self, name: str, source: Path) -> None:
        """See `Objects`."""
        with atomic_path(self.root / name) as partial:
            shutil.copyfile(source, partial)

    def put_new(self, name: str, data: bytes) -> bool:
        """See `Objects`: a hard link cannot be made over a name that is there."""
        target = self.root / name
        with _explained(str(self.root)):
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = partial_path(target)
            try:
                partial.write_bytes(data)
                with partial.open("rb+") as file:
                    os.fsync(file.fileno())
                target.hardlink_to(partial)
            except FileExistsError:
                return False
            finally:
                remove(partial)
        return True

    def names(self, folder: str) -> Iterator[str]:
        """See `Objects`."""
        paths = sorted(path for path in (self.root / folder).rglob("*") if path.is_file())
        return (path.relative_to(self.root).as_posix() for path in paths if not path.name.endswith(PARTIAL))

    def remove(self, folder: str) -> None:
        """See `Objects`."""
        remove(self.root / folder)


class BucketObjects:
    """Objects at an fsspec URL. Keys and endpoint come from the protocol's own variables (S3: `AWS_*`)."""

    def __init__(self, url: str) -> None:
        self.url = url

    def read(self, name: str) -> bytes | None:
        """See `Objects`."""
        with _explained(self.url):
            try:
                return bytes(self._system.cat_file(self._path(name)))
            except FileNotFoundError:
                return None

    def fetch(self, name: str, target: Path) -> None:
        """See `Objects`."""
        with _explained(self.url):
            self._system.get_file(self._path(name), str(target))

    def put(self, name: str, source: Path) -> None:
        """See `Objects`."""
        with _explained(self.url):
            self._system.put_file(str(source), self._path(name))

    def put_new(self, name: str, data: bytes) -> bool:
        """See `Objects`."""
        with _explained(self.url):
            try:
                self._system.pipe_file(self._path(name), data, mode="create")
            except FileExistsError:
                return False
        return True

    def names(self, folder: str) -> Iterator[str]:
        """See `Objects`."""
        with _explained(self.url):
            found = sorted(self._system.find(self._path(folder)))
        return (str(PurePosixPath(path).relative_to(self._root)) for path in found)

    def remove(self, folder: str) -> None:
        """See `Objects`."""
        with _explained(self.url):
            found = self._system.find(self._path(folder))
            if found:
                self._system.rm(found)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @cached_property
    def _root(self) -> str:
        return str(self._system._strip_protocol(self.url))

    @cached_property
    def _system(self) -> Any:
        """The file system, opened at its first use; it never answers from a listing it remembers."""
        import fsspec

        protocol = self.url.partition("://")[0]
        try:
            return fsspec.filesystem(protocol, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise StoreError(f"{self.url}: {error}; S3 needs pip install 'trinormal[cluster]'") from None


@contextmanager
def _explained(where: str) -> Generator[None]:
    """Turn what the network or the disk says into one line; answers that callers expect pass through."""
    try:
        yield
    except FileExistsError:
        raise
    except (OSError, *_bucket_errors()) as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise StoreError(f"shared store {where}: {reason}; check TRINORMAL_STORE_URL, network and keys") from error


def _bucket_errors() -> tuple[type[Exception], ...]:
    """Errors of S3's library that are no `OSError`: no endpoint, no keys."""
    try:
        return (import_module("botocore.exceptions").BotoCoreError,)
    except ModuleNotFoundError:
        return ()

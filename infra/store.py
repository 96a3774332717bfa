"""The content-addressed store: an artefact is a folder named by what it was made from, whole or absent.

Where machines share a store, the folder on the local disk is its cache: what is missing here is fetched from there.
"""

import fcntl
import json
import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from infra.errors import StoreError
from infra.files import (
    PARTIAL,
    atomic_directory,
    atomic_write_json,
    canonical_json,
    partial_path,
    remove,
    sha256_bytes,
    sha256_file,
)
from infra.objects import open_objects
from infra.shared_store import MANIFEST, SharedStore

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")
KEY = re.compile(r"[0-9a-f]{64}")


class Artefact(NamedTuple):
    """A complete folder in the store."""

    stage: str
    key: str
    path: Path


class StageSize(NamedTuple):
    """What one stage holds."""

    artefacts: int
    size_bytes: int


def artefact_key(stage: str, inputs: Sequence[str], config: object, code: str) -> str:
    """SHA-256 over what determines an artefact.

    `inputs` are content hashes in a meaningful order, `config` anything JSON can say, `code` a fingerprint.
    Raises `StoreError` when `config` has no canonical JSON (NaN, a path, an array).
    """
    try:
        text = canonical_json({"stage": stage, "inputs": list(inputs), "config": config, "code": code})
    except (TypeError, ValueError) as error:
        raise StoreError(f"stage {stage!r}: its configuration has no canonical JSON ({error})") from None
    return sha256_bytes(text.encode())


class ContentStore:
    """Artefacts below `root`, at `<stage>/<two digits>/<key>`, each with a manifest of sizes and hashes.

    With `shared`, an artefact is written there before it appears here, and fetched from there where it is not here.
    """

    def __init__(self, root: Path, shared: SharedStore | None = None) -> None:
        self.root = root
        self.shared = shared

    def lookup(self, stage: str, key: str) -> Artefact | None:
        """The artefact, or None while it is not complete."""
        path = self._path(stage, key)
        here = (path / MANIFEST).is_file() or self._fetch(stage, key)
        return Artefact(stage, key, path) if here else None

    def get(self, stage: str, key: str) -> Artefact:
        """The artefact; raises `StoreError` where it is not complete."""
        found = self.lookup(stage, key)
        if found is None:
            raise StoreError(f"no {stage} artefact {key[:12]} in {self.root}: run the stage that makes it")
        return found

    @contextmanager
    def write(self, stage: str, key: str) -> Generator[Path]:
        """Yield an empty folder; its content becomes the artefact when the block ends.

        Of two writers at once the slower one discards its copy; for both the artefact is there afterwards.
        """
        try:
            with self._staged(stage, key) as staging:
                yield staging
                if (staging / MANIFEST).exists():
                    raise StoreError(f"stage {stage!r} wrote {MANIFEST}, a name the store keeps for itself")
                atomic_write_json(staging / MANIFEST, {"stage": stage, "key": key, "files": _describe(staging)})
                if self.shared is not None and not self.shared.publish(stage, key, staging):
                    raise FileExistsError
        except FileExistsError:
            if self.lookup(stage, key) is None:
                raise

    def ensure(self, stage: str, key: str, build: Callable[[Path], None]) -> Artefact:
        """The artefact, made by `build(folder)` when it is not there yet."""
        found = self.lookup(stage, key)
        if found is not None:
            return found
        with self.write(stage, key) as staging:
            build(staging)
        return self.get(stage, key)

    def publish(self, artefact: Artefact) -> None:
        """Make sure that other machines find an artefact that may have been made before the store was shared."""
        if self.shared is not None and not self.shared.publish(artefact.stage, artefact.key, artefact.path):
            where = f"{artefact.stage} artefact {artefact.key[:12]}"
            raise StoreError(f"{where}: the shared store holds other bytes of it; remove {artefact.path} and rerun")

    def content_hash(self, artefact: Artefact) -> str:
        """Hash of names, sizes and content: the input hash of the next stage.

        The key is left out on purpose: code that changed but gives the same bytes does not redo what follows.
        """
        return sha256_bytes(canonical_json(_manifest(artefact)).encode())

    def verify(self, artefact: Artefact) -> None:
        """Read everything again; raises `StoreError` naming the first file that differs from the manifest."""
        expected, found = _manifest(artefact), _describe(artefact.path)
        for name in sorted(expected.keys() | found.keys()):
            if expected.get(name) != found.get(name):
                what = "missing" if name not in found else "changed" if name in expected else "not in the manifest"
                raise StoreError(
                    f"{artefact.stage} artefact {artefact.key[:12]}: {name} is {what}; remove it and rerun"
                )

    def remove(self, artefact: Artefact) -> None:
        """Forget an artefact, here and in the shared store; no moment shows half of it."""
        if self.shared is not None:
            self.shared.remove(artefact.stage, artefact.key)
        aside = partial_path(artefact.path)
        try:
            artefact.path.rename(aside)
        except FileNotFoundError:
            return
        remove(aside)

    def sweep(self) -> tuple[Path, ...]:
        """Remove the half-filled folders of writers that died; returns what went. Complete artefacts are not walked."""
        leftovers = sorted(self.root.glob(f"*/??/.*{PARTIAL}"))
        return tuple(path for path in leftovers if _remove_unclaimed(path))

    def artefacts(self, stage: str) -> Iterator[Artefact]:
        """Every complete artefact of a stage, by key; those of the shared store are fetched one after another."""
        elsewhere = [] if self.shared is None else self.shared.keys(stage)
        for key in sorted({*self._keys(stage), *elsewhere}):
            yield self.get(stage, key)

    def sizes(self) -> dict[str, StageSize]:
        """How many artefacts and bytes each stage holds on this disk, from the manifests."""
        stages = sorted(path.name for path in self.root.iterdir() if path.is_dir()) if self.root.is_dir() else []
        return {
            stage: _size([Artefact(stage, key, self._path(stage, key)) for key in self._keys(stage)])
            for stage in stages
        }

    def _keys(self, stage: str) -> list[str]:
        """The complete artefacts on this disk."""
        names = [manifest.parent.name for manifest in (self.root / stage).glob(f"??/*/{MANIFEST}")]
        return [name for name in names if KEY.fullmatch(name)]

    def _fetch(self, stage: str, key: str) -> bool:
        """Copy an artefact from the shared store to this disk; False where it has none."""
        if self.shared is None or not self.shared.has(stage, key):
            return False
        try:
            with self._staged(stage, key) as staging:
                if not self.shared.fetch(stage, key, staging):
                    raise FileNotFoundError
        except FileNotFoundError:  # removed meanwhile
            return False
        except FileExistsError:  # another process fetched it
            return (self._path(stage, key) / MANIFEST).is_file()
        return True

    @contextmanager
    def _staged(self, stage: str, key: str) -> Generator[Path]:
        """An empty folder, claimed by this process, that becomes the artefact's."""
        target = self._path(stage, key)
        if target.exists() and not (target / MANIFEST).is_file():  # not ours to trust: put it aside
            aside = partial_path(target)
            target.rename(aside)
            remove(aside)
        with ExitStack() as claim, atomic_directory(target) as staging:
            claim.enter_context(_claimed(staging))  # given up last, when the folder has its final name
            yield staging

    def _path(self, stage: str, key: str) -> Path:
        if not NAME.fullmatch(stage) or not KEY.fullmatch(key):
            raise StoreError(f"stage {stage!r}, key {key!r}: a stage is a plain lower-case name, a key a SHA-256")
        return self.root / stage / key[:2] / key


def open_store(root: Path, url: str = "") -> ContentStore:
    """The store below `root`, which is a cache of the one at `url` where that is given."""
    return ContentStore(root, SharedStore(open_objects(url)) if url else None)


@contextmanager
def _claimed(folder: Path) -> Generator[None]:
    """Hold a lock on a folder; the system frees it when this process ends, however that ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_unclaimed(folder: Path) -> bool:
    """Remove a half-filled folder whose writer is dead."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:  # complete, and renamed, since it was listed
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        remove(folder)
        return True
    finally:
        os.close(descriptor)


def _describe(folder: Path) -> dict[str, dict[str, object]]:
    """Size and hash of every file below `folder` except the manifest; raises `StoreError` on a link."""
    files: dict[str, dict[str, object]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise StoreError(f"{name}: links cannot be stored, copy the file")
        if path.is_file() and name != MANIFEST:
            files[name] = {"size": path.stat().st_size, "sha256": sha256_file(path)}
    return files


def _manifest(artefact: Artefact) -> dict[str, dict[str, object]]:
    try:
        manifest = json.loads((artefact.path / MANIFEST).read_bytes())
        named = (manifest["stage"], manifest["key"])
        files = manifest["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{artefact.path}: its manifest cannot be read ({type(error).__name__})") from None
    if named != (artefact.stage, artefact.key):
        raise StoreError(f"{artefact.path}: the manifest is of another artefact; remove it and rerun")
    return files


def _size(artefacts: Sequence[Artefact]) -> StageSize:
    sizes = (int(str(entry["size"])) for artefact in artefacts for entry in _manifest(artefact).values())
    return StageSize(len(artefacts), sum(sizes))

"""Artefacts that several machines share: objects named by their hash, and a manifest that is written last.

An artefact lies at `<stage>/<two digits>/<key>/`: its files as `<sha256>`, and `manifest.json` once all of them are
there. Two writers of one key never disturb each other: other bytes have other names, and the first manifest stands.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from infra.errors import StoreError
from infra.files import sha256_file
from infra.objects import Objects

MANIFEST = "manifest.json"
AT_ONCE = 8


class SharedStore:
    """The artefacts among `objects`."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def has(self, stage: str, key: str) -> bool:
        """Whether the artefact is complete."""
        return self.objects.read(f"{_folder(stage, key)}/{MANIFEST}") is not None

    def publish(self, stage: str, key: str, folder: Path) -> bool:
        """Store a complete folder; False where another writer's artefact was there first, which then stands."""
        place, text = _folder(stage, key), (folder / MANIFEST).read_bytes()
        known = self.objects.read(f"{place}/{MANIFEST}")
        if known is not None:
            return known == text
        sources = {entry["sha256"]: folder / name for name, entry in _files(place, text).items()}
        _all(lambda digest: self.objects.put(f"{place}/{digest}", sources[digest]), sorted(sources))
        return self.objects.put_new(f"{place}/{MANIFEST}", text) or self.objects.read(f"{place}/{MANIFEST}") == text

    def fetch(self, stage: str, key: str, folder: Path) -> bool:
        """Fill an empty folder with the artefact, every file held against its hash; False where there is none.

        Raises `StoreError` on a file that is not what the manifest says.
        """
        place = _folder(stage, key)
        text = self.objects.read(f"{place}/{MANIFEST}")
        if text is None:
            return False
        files = _files(place, text)
        for parent in {(folder / name).parent for name in files}:
            parent.mkdir(parents=True, exist_ok=True)
        _all(lambda name: self._fetch_file(place, files[name]["sha256"], folder / name), sorted(files))
        (folder / MANIFEST).write_bytes(text)
        return True

    def keys(self, stage: str) -> Iterator[str]:
        """The complete artefacts of a stage."""
        names = (PurePosixPath(name) for name in self.objects.names(stage))
        return (name.parent.name for name in names if name.name == MANIFEST)

    def remove(self, stage: str, key: str) -> None:
        """Forget an artefact: its manifest first, so that nobody fetches half of it."""
        place = _folder(stage, key)
        self.objects.remove(f"{place}/{MANIFEST}")
        self.objects.remove(place)

    def _fetch_file(self, place: str, digest: str, target: Path) -> None:
        self.objects.fetch(f"{place}/{digest}", target)
        if sha256_file(target) != digest:
            raise StoreError(f"shared store: {place}/{digest[:12]} does not match its hash; remove {place} and rerun")


def _folder(stage: str, key: str) -> str:
    return f"{stage}/{key[:2]}/{key}"


def _files(place: str, text: bytes) -> Mapping[str, Mapping[str, Any]]:
    """The files that a manifest lists; their names never lead out of the artefact."""
    try:
        files: dict[str, dict[str, Any]] = json.loads(text)["files"]
        inside = all(not PurePosixPath(name).is_absolute() and ".." not in name.split("/") for name in files)
        hashed = all(str(entry["sha256"]).isalnum() for entry in files.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        inside, hashed, files = False, False, {}
    if not inside or not hashed:
        raise StoreError(f"shared store: {place}/{MANIFEST} cannot be used; remove {place} and rerun")
    return files


def _all(act: Callable[[str], None], names: Sequence[str]) -> None:
    """Do it for each name, several at once: most of the time goes into waiting."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(act, names):
            pass

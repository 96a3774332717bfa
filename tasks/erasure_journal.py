"""Erasures on their way: a sealed note for each, so that a killed one goes on knowing what it had found."""

import json
from collections.abc import Iterator
from pathlib import Path

from infra.files import atomic_write_bytes, canonical_json, remove, sync_directory
from infra.keys import KeyFolder
from infra.sealing import derive, seal, unseal
from infra.settings import Settings
from tasks.erasure_plan import Plan

ENDING = ".sealed"


class Journal:
    """The notes in one home, sealed under its key."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.erasures
        self._keys = KeyFolder(settings.keys)

    def find(self, person: str) -> Plan | None:
        """The erasure of a person that was begun and not finished."""
        return next((plan for plan in self._plans() if plan.person == person), None)

    def note(self, plan: Plan) -> None:
        """Keep a plan until `close`."""
        sealed = seal(self._key(), canonical_json(plan._asdict()).encode(), ["erasure", plan.id])
        atomic_write_bytes(self._path(plan.id), sealed)

    def close(self, plan: Plan) -> None:
        """Forget a plan that is carried out."""
        remove(self._path(plan.id))
        if self._folder.is_dir():
            sync_directory(self._folder)

    def _plans(self) -> Iterator[Plan]:
        for path in sorted(self._folder.glob(f"*{ENDING}")):
            content = unseal(self._key(), path.read_bytes(), ["erasure", path.stem])
            yield Plan(**json.loads(content))

    def _key(self) -> bytes:
        return derive(self._keys.home(), "erasures")

    def _path(self, erasure_id: str) -> Path:
        return self._folder / f"{erasure_id}{ENDING}"

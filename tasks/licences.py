"""On what terms a model may be used: the licences of all it was derived from, read off its lineage."""

from collections.abc import Sequence

from infra.store import Artefact
from models.morphable.builtin import LICENCE
from registry.licences import licences_behind
from registry.manifest import Snapshot
from tasks.wiring import open_workspace

FACE_WORLD = {"photo-shards": LICENCE, "scan-shards": LICENCE}
"""Stages that make people up: they begin from the built-in face model alone."""


def licences_of(made: Artefact, snapshots: Sequence[Snapshot]) -> dict[str, str]:
    """Licence by source; training data of the reconstructor is among them. `snapshots` are what the job asked for."""
    asked = {snapshot.id for snapshot in snapshots}
    found = licences_behind(open_workspace().engine, made.key, asked, FACE_WORLD)
    return {"face model": LICENCE, **found}

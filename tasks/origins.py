"""What a registered version came from: its photos, and the reconstructor that made faces of them."""

from pathlib import Path
from typing import NamedTuple

from models.errors import ArtefactError
from registry.catalogue import list_snapshots
from registry.lineage import ancestors
from registry.manifest import Snapshot
from registry.origins import training_run
from registry.packaging import LINEAGE, find_version
from tasks.champion import Champion
from tasks.variants import Variant
from tasks.wiring import open_workspace

TRAINED = ("expnet", "rnet", "texface")
"""Stages of reconstructors that have weights; without one of them in its lineage a version is of the landmark fit."""


class Origin(NamedTuple):
    """The photos that were learnt from, where they are, the sides of the crops, and the reconstructor."""

    snapshot: Snapshot
    root: Path
    recogniser_px: int
    reconstructor_px: int
    variant: Variant


def origin_of(version: Champion) -> Origin:
    """Raises `ArtefactError` where run, lineage or catalogue do not say."""
    workspace = open_workspace()
    found = find_version(workspace.tracker, version.name, version.version)
    run = training_run(workspace.tracker, found)
    where = f"{version.name} version {version.version}"
    known = {snapshot.id: snapshot for snapshot in list_snapshots(workspace.engine)}
    snapshot = known.get(run.tags.get("snapshot", ""))
    if snapshot is None:
        raise ArtefactError(f"{where}: the photos that it learnt from are not in the catalogue: train it again")
    if not Path(snapshot.source).is_dir():
        raise ArtefactError(f"{where}: {snapshot.source}, which it learnt from, is not there any more: mount it")
    try:
        sides = int(run.parameters["recogniser.photo_pixels"]), int(run.parameters["expnet.pixels"])
    except (KeyError, ValueError):
        raise ArtefactError(f"{where}: its run does not say how large its crops are: train it again") from None
    return Origin(snapshot, Path(snapshot.source), *sides, _variant(found.tags.get(LINEAGE, "")))


def _variant(exported: str) -> Variant:
    workspace = open_workspace()
    for node in ancestors(workspace.engine, exported):
        if node.stage in TRAINED:
            made = workspace.store.lookup(node.stage, node.hash)
            if made is not None:
                return Variant(node.stage, made)
    return Variant("landmarks")

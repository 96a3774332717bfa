"""The versions of a model that are measured side by side, opened and checked."""

from typing import NamedTuple

from infra.errors import InfrastructureError
from models.errors import TrinormalError
from registry.catalogue import list_snapshots
from registry.contenders import CHAMPION, contenders
from registry.manifest import Snapshot
from registry.origins import training_run
from registry.packaging import find_version
from tasks.champion import Champion, open_version, require_champion
from tasks.sources import SIMULATED
from tasks.wiring import open_workspace


class Contenders(NamedTuple):
    """Versions by role, the champion first; `absent` says why one that has a role cannot be measured."""

    model: str
    versions: dict[str, Champion]
    absent: dict[str, str]


def open_contenders(model: str) -> Contenders:
    """Champion, challenger and the champion before, as many as there are.

    Raises `AssetMissing` without a champion, and what `open_version` raises about it; of the others it is told.
    """
    require_champion(model)
    workspace = open_workspace()
    versions: dict[str, Champion] = {}
    absent: dict[str, str] = {}
    for role, version in contenders(workspace.engine, workspace.tracker, model).items():
        try:
            versions[role] = open_version(model, version)
        except (TrinormalError, InfrastructureError) as error:
            if role == CHAMPION:
                raise
            absent[role] = str(error)
    return Contenders(model, versions, absent)


def training_snapshot(version: Champion) -> str | None:
    """The id of the snapshot of photos that a version learnt from, where its run says."""
    tracker = open_workspace().tracker
    return training_run(tracker, find_version(tracker, version.name, version.version)).tags.get("snapshot")


def own_photos_of(version: Champion) -> Snapshot | None:
    """The snapshot of a user's own photos that a version learnt from; None for simulated ones and unknown ones."""
    wanted = training_snapshot(version)
    listed = [each for each in list_snapshots(open_workspace().engine) if each.id == wanted]
    return next((each for each in listed if not each.data_set.startswith(SIMULATED)), None)

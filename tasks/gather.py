"""Where the training photos come from: the face world, or a user's folder."""

from pathlib import Path
from typing import NamedTuple

from infra.profiles import Profile
from models.morphable.builtin import LICENCE
from models.readers.folder import index_photos
from models.readers.vggface2 import index_vggface2
from registry.catalogue import Snapshot
from tasks.snapshot import snapshot_photos
from tasks.synthesise import SPLIT_FOLDER, Collection, synthesise_photos


class Photos(NamedTuple):
    """A snapshot and where its files are; `collection` is there for simulated photos."""

    snapshot: Snapshot
    root: Path
    collection: Collection | None


def simulated_photos(profile: Profile) -> Photos:
    """Photos of made-up people, written in VGGFace2's layout and read back by its reader."""
    made = synthesise_photos(profile.photos, "recognition", profile.seed)
    records = list(index_vggface2(made.root.path, SPLIT_FOLDER))
    snapshot = snapshot_photos(made.root.path, records, f"face world ({profile.name})", LICENCE)
    return Photos(snapshot, made.root.path, made)


def own_photos(folder: Path, licence: str) -> Photos:
    """A folder of one's own, a sub-folder for each person."""
    root = folder.absolute()
    snapshot = snapshot_photos(root, list(index_photos(root)), root.name, licence)
    return Photos(snapshot, root, None)

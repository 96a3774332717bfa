"""Where the training photos come from: the face world, or a user's folder."""

from pathlib import Path
from typing import NamedTuple

from infra.profiles import Profile
from models.morphable.builtin import LICENCE
from registry.manifest import Snapshot
from tasks.snapshot import take_snapshot
from tasks.sources import Source, name_of, open_source
from tasks.synthesise import Collection, synthesise_photos


class Photos(NamedTuple):
    """A snapshot and where its files are; `collection` is there for simulated photos."""

    snapshot: Snapshot
    root: Path
    collection: Collection | None


def simulated_photos(profile: Profile) -> Photos:
    """Photos of made-up people, written in VGGFace2's layout and read back by its reader."""
    made = synthesise_photos(profile.photos, "recognition", profile.seed)
    source = Source("vggface2", made.root.path, "photo")
    snapshot = take_snapshot(source, f"face world ({profile.name})", LICENCE, simulated=True)
    return Photos(snapshot, made.root.path, made)


def own_photos(folder: Path, licence: str) -> Photos:
    """A folder of one's own, a sub-folder for each person."""
    source = open_source("photos", folder)
    return Photos(take_snapshot(source, name_of(source, None), licence), source.root, None)

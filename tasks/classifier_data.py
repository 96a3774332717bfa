"""What classifiers learn from: photos of people with their labels, as crops and as coefficients."""

from pathlib import Path
from typing import NamedTuple

from infra.profiles import Profile
from models.readers.records import PhotoRecord
from registry.catalogue import load_rows
from tasks.align import Crops
from tasks.coefficient_tables import StoredTable
from tasks.gather import Photos
from tasks.manifest_rows import record_of
from tasks.portraits import simulated_portraits
from tasks.snapshot import take_snapshot
from tasks.sources import licence_of, name_of, open_source
from tasks.wiring import open_workspace


class LabelledPhotos(NamedTuple):
    """Photos with what their names say of them, their crops for image baselines, and their coefficients."""

    photos: Photos
    records: list[PhotoRecord]
    crops: Crops
    table: StoredTable

    def genders(self) -> dict[str, str]:
        """Gender of each photo whose person's is known."""
        return {record.path: record.gender for record in self.records if record.gender}


def kdef_photos(folder: Path | None, profile: Profile, licence: str | None) -> Photos:
    """KDEF in `folder`, or a simulated one."""
    if folder is None:
        return simulated_portraits("kdef", profile)
    return _real("kdef", folder, None, licence)


def fei_photos(folder: Path | None, genders: Path | None, profile: Profile, licence: str | None) -> Photos:
    """FEI in `folder` with the genders that a CSV lists, or a simulated one."""
    if folder is None:
        return simulated_portraits("fei", profile)
    return _real("fei", folder, genders, licence)


def _real(data_set: str, folder: Path, labels: Path | None, licence: str | None) -> Photos:
    source = open_source(data_set, folder, labels)
    return Photos(take_snapshot(source, name_of(source, None), licence_of(source, licence)), source.root, None)


def records_of(photos: Photos) -> list[PhotoRecord]:
    """What the snapshot says of each photo: the labels a classifier may learn come from it alone."""
    rows = load_rows(open_workspace().engine, photos.snapshot.id)
    return [record for record in (record_of(row, "photo") for row in rows) if isinstance(record, PhotoRecord)]

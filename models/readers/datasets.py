"""Every data set by name: how it is indexed, how one of its files is read, and on what terms it is had."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Literal

from models.errors import DataError
from models.plugins import Catalogue
from models.readers.bosphorus import index_bosphorus, read_bosphorus
from models.readers.bu3dfe import read_bu3dfe, stream_bu3dfe
from models.readers.bu4dfe import index_bu4dfe
from models.readers.fei import GENDERS, index_fei, read_genders
from models.readers.folder import index_photos, index_scans
from models.readers.frgc import index_frgc
from models.readers.kdef import index_kdef
from models.readers.records import PhotoRecord, ScanRecord
from models.readers.scans import ScanReader, read_scan
from models.readers.vggface2 import Split, index_vggface2
from models.readers.vrml import read_vrml

Index = Callable[[Path], Iterator[PhotoRecord] | Iterator[ScanRecord]]


UNKNOWN_LICENCE = "unknown"
"""What a user's own data is under until somebody says."""


@dataclass(frozen=True)
class DataSet:
    """How a data set's folder is indexed, and how one of its scans is read; None for photos, which all read alike.

    `licence` is an SPDX expression; the laboratories' own agreements have no SPDX name and get a `LicenseRef-` one.
    `beside` is how the name of the file with a scan's landmarks ends, where its reader looks for one.
    """

    kind: Literal["photo", "scan"]
    index: Index
    read: ScanReader | None = None
    licence: str = UNKNOWN_LICENCE
    beside: str | None = None

    @property
    def role(self) -> str:
        """What a file is for when nothing says otherwise: photos train, scans test."""
        return "train" if self.kind == "photo" else "test"


data_sets: Catalogue[DataSet] = Catalogue("data set")


def _both_splits(root: Path) -> Iterator[PhotoRecord]:
    """VGGFace2's training and test photos, whichever are there; the split is their role."""
    splits: list[Split] = [split for split in ("train", "test") if (root / split).is_dir()]
    if not splits:
        raise DataError(f"{root}: neither train nor test in it: point to the folder that holds them")
    found = [(split, index_vggface2(root, split)) for split in splits]
    return chain.from_iterable(_in_role(records, split) for split, records in found)


def _with_genders(root: Path) -> Iterator[PhotoRecord]:
    """FEI's photos, with the genders of the list beside them where there is one."""
    table = root / GENDERS
    return index_fei(root, read_genders(table) if table.is_file() else None)


def _in_role(records: Iterator[PhotoRecord], role: str) -> Iterator[PhotoRecord]:
    return (replace(record, labels={**record.labels, "role": role}) for record in records)


data_sets.add("bosphorus")(
    DataSet("scan", index_bosphorus, read_bosphorus, licence="LicenseRef-Bosphorus", beside=".lm3")
)
data_sets.add("bu3dfe")(DataSet("scan", stream_bu3dfe, read_bu3dfe, licence="LicenseRef-BU-3DFE", beside=".bnd"))
data_sets.add("bu4dfe")(DataSet("scan", index_bu4dfe, read_vrml, licence="LicenseRef-BU-4DFE"))
data_sets.add("fei")(DataSet("photo", _with_genders, licence="LicenseRef-FEI"))
data_sets.add("frgc")(DataSet("scan", index_frgc, read_scan, licence="LicenseRef-FRGC-2.0"))
data_sets.add("kdef")(DataSet("photo", index_kdef, licence="LicenseRef-KDEF"))
data_sets.add("photos")(DataSet("photo", index_photos))
data_sets.add("scans")(DataSet("scan", index_scans, read_scan))
data_sets.add("vggface2")(DataSet("photo", _both_splits, licence="LicenseRef-VGGFace2"))

"""FRGC v2 (Phillips et al. 2005): 4,007 range images of 466 people, by names `Fall2003range/02463d546.abs.gz`."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from models.errors import DataError
from models.readers.abs_grid import write_abs
from models.readers.frgc_signatures import Signatures
from models.readers.listing import Naming, Source, folder_and_name, index_by_name, shown
from models.readers.records import ScanRecord
from models.readers.writing import write_named
from models.types import RangeImage

COLLECTIONS = ("Spring2003", "Fall2003", "Spring2004")
"""In the order of capture; the first is the training partition of FRGC v1, the others are the test set of v2."""

_PATTERN = re.compile(r"(\d{5})d(\d{1,6})\.abs(?:\.gz)?")
_NAMING = Naming("FRGC", "Fall2003range/02463d546.abs.gz", _PATTERN)
_FOLDERS = {f"{name}range": name for name in COLLECTIONS}


def index_frgc(source: Source, signatures: Signatures | None = None) -> Iterator[ScanRecord]:
    """Every range image, one at a time; no scan is opened.

    `labels` hold `collection` and `recording`. The picture with the same stem may be another recording and is not
    told. Names carry no expression and no gender. With `signatures` (see `read_signatures`), a scan that they give
    to another person is refused. Raises `DataError` when there is none, or one's name or folder breaks the format.
    """

    def describe(path: str) -> ScanRecord | None:
        record = describe_frgc(path)
        if record is not None and signatures is not None:
            _require_same_person(record, signatures)
        return record

    return index_by_name(source, describe, _NAMING.nothing("the three collections"))


def describe_frgc(path: str) -> ScanRecord | None:
    """What a path says; None when it is no range image. Raises `DataError`."""
    folder, name = folder_and_name(path)
    if not name.endswith((".abs", ".abs.gz")):
        return None
    subject, recording = _NAMING.parse(name, path)
    if folder not in _FOLDERS:
        raise _NAMING.misnamed(path)
    return ScanRecord(path, subject, labels={"collection": _FOLDERS[folder], "recording": recording})


def _require_same_person(record: ScanRecord, signatures: Signatures) -> None:
    name = folder_and_name(record.path)[1].removesuffix(".gz")
    owner = signatures.get(name.removesuffix(".abs"))
    if owner not in (None, record.subject):
        raise DataError(f"{shown(record.path)}: the signature set gives it to {owner}: fetch both again")


def write_frgc(
    root: Path, collection: str, subject: str, recording: int, image: RangeImage, packed: bool = True
) -> str:
    """Write a range image in this format, gzipped if `packed`; returns its path relative to `root`.

    `subject` is a number of five digits, `collection` one of `COLLECTIONS`. The same image gives the same bytes.
    Raises `DataError` on a name the format does not have.
    """
    data = write_abs(image)
    path = f"{collection}range/{subject}d{recording}.abs{'.gz' if packed else ''}"
    return write_named(root, path, describe_frgc, gzip.compress(data, 6, mtime=0) if packed else data)

"""Bosphorus (Savran et al. 2008): 4,666 scans of 105 people, by names `bs000/bs000_E_ANGER_0.bnt`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from models.protocols.indexed import EMOTIONS
from models.readers.bnt_grid import read_bnt, write_bnt
from models.readers.listing import Naming, Source, folder_and_name, index_by_name, misplaced
from models.readers.lm3 import read_lm3, write_lm3
from models.readers.records import ScanRecord
from models.readers.writing import write_named
from models.types import RangeImage, Scan

KINDS: Mapping[str, str] = {
    "N": "neutral",
    "E": "emotion",
    "LFAU": "lower face action unit",
    "UFAU": "upper face action unit",
    "CAU": "combined action units",
    "YR": "yaw rotation",
    "PR": "pitch rotation",
    "CR": "cross rotation",
    "O": "occlusion",
    "IGN": "ignored",
}
OCCLUSIONS = ("EYE", "MOUTH", "GLASSES", "HAIR")

_PATTERN = re.compile(rf"(bs\d{{3}})_({'|'.join(KINDS)})_([A-Za-z0-9+-]+)_(\d{{1,3}})\.bnt")
_NAMING = Naming("Bosphorus", "bs000/bs000_E_ANGER_0.bnt", _PATTERN)
_SUBJECT = re.compile(r"bs\d{3}")
_EMOTIONS: Mapping[str, str] = dict(
    zip(("ANGER", "DISGUST", "FEAR", "HAPPY", "SADNESS", "SURPRISE"), EMOTIONS, strict=True)
)
_DETAILS = {"N": ("N",), "E": tuple(_EMOTIONS), "O": OCCLUSIONS}


def index_bosphorus(source: Source) -> Iterator[ScanRecord]:
    """Every scan, one at a time; none is opened.

    `labels` hold `kind` (see `KINDS`), `detail` (`ANGER`, `12LW`, `R20`, ...) and `take`; `expression` is known for
    the neutral and the emotional ones. Names carry no gender. Raises `DataError` when there is none, or one's name
    breaks the format or lies in another person's folder.
    """
    return index_by_name(source, describe_bosphorus, _NAMING.nothing("bs000 to bs104"))


def describe_bosphorus(path: str) -> ScanRecord | None:
    """What a path says; None when it is no `.bnt` file. Raises `DataError`."""
    folder, name = folder_and_name(path)
    if not name.endswith(".bnt"):
        return None
    subject, kind, detail, take = _NAMING.parse(name, path)
    if detail not in _DETAILS.get(kind, (detail,)):
        raise _NAMING.misnamed(path)
    if _SUBJECT.fullmatch(folder) and folder != subject:
        raise misplaced(path, subject)
    expression = "neutral" if kind == "N" else _EMOTIONS.get(detail)
    labels = {"kind": kind, "detail": detail, "take": take}
    return ScanRecord(path, subject, expression=expression, labels=labels)


def read_bosphorus(path: Path) -> Scan:
    """One scan with the landmarks of the `.lm3` file beside it, if any, by their labels. Raises `ScanError`."""
    scan = read_bnt(path)
    beside = path.with_suffix(".lm3")
    return replace(scan, landmarks=read_lm3(beside)) if beside.exists() else scan


def write_bosphorus(
    root: Path,
    subject: int,
    kind: str,
    detail: str,
    take: int,
    image: RangeImage,
    landmarks: Mapping[str, tuple[float, float, float]] | None = None,
) -> str:
    """Write a range image and its landmarks, if any, in this format; returns the scan's path relative to `root`.

    `subject` counts from 0, `kind` is one of `KINDS`, `landmarks` are points (mm) by the labels of `lm3.LABELS`.
    Raises `DataError` on a name or label the format does not have.
    """
    stem = f"bs{subject:03d}_{kind}_{detail}_{take}"
    path = f"bs{subject:03d}/{stem}.bnt"
    beside = None if landmarks is None else {".lm3": write_lm3(landmarks, stem)}
    return write_named(root, path, describe_bosphorus, write_bnt(image, f"{stem}.png"), beside)

"""BU-4DFE (Yin et al. 2008): 101 people, six expressions as sequences of meshes, `F001/Angry/000.wrl`, ..."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from models.protocols.indexed import EMOTIONS
from models.readers.listing import Naming, Source, index_by_name
from models.readers.records import ScanRecord
from models.readers.vrml import write_vrml
from models.readers.writing import require_jpeg, write_named
from models.types import Scan

FOLDERS: Mapping[str, str] = dict(zip(("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise"), EMOTIONS, strict=True))
"""The word for each expression's folder."""

_FRAME = re.compile(rf"(?:.*/)?(([FM])\d{{3}})/({'|'.join(FOLDERS)})/(\d{{3,4}})\.wrl", re.DOTALL)
_NAMING = Naming("BU-4DFE", "F001/Angry/000.wrl", _FRAME)
_IN_SUBJECT = re.compile(r"(?:.*/)?[FM]\d{3}/.*", re.DOTALL)


def index_bu4dfe(source: Source) -> Iterator[ScanRecord]:
    """Every frame of every sequence, one at a time; none is opened. `labels` hold `frame`.

    The expression is that of the sequence, which begins and ends neutral. Raises `DataError` when there is none, or
    a mesh in a person's folder has another kind of name.
    """
    return index_by_name(source, describe_bu4dfe, _NAMING.nothing("F001 to M043"))


def describe_bu4dfe(path: str) -> ScanRecord | None:
    """What a path says; None when it is no mesh of a person. Raises `DataError`."""
    if not path.endswith(".wrl") or not _IN_SUBJECT.fullmatch(path):
        return None
    subject, letter, folder, frame = _NAMING.parse(path, path)
    return ScanRecord(path, subject, letter.lower(), FOLDERS[folder], labels={"frame": frame})


def write_bu4dfe(root: Path, subject: str, folder: str, frame: int, scan: Scan, texture: bytes | None = None) -> str:
    """Write one frame and its texture (a JPEG), if any, in this format; returns the mesh's path relative to `root`.

    `subject` like F001, `folder` one of `FOLDERS`. Read it back with `read_vrml`. Raises `DataError` on a name the
    format does not have.
    """
    path = f"{subject}/{folder}/{frame:03d}.wrl"
    beside = None if texture is None else {".jpg": require_jpeg(texture, path)}
    return write_named(root, path, describe_bu4dfe, write_vrml(scan, f"{frame:03d}.jpg"), beside)

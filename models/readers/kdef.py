"""KDEF (Lundqvist et al. 1998): 70 people, two sessions, seven expressions, five angles, `AF01/AF01ANFL.JPG`."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from models.protocols.indexed import EMOTIONS
from models.readers.listing import Naming, Source, folder_and_name, index_by_name, misplaced
from models.readers.records import PhotoRecord
from models.readers.writing import require_jpeg, write_named

EXPRESSIONS: Mapping[str, str] = dict(
    zip(("AN", "DI", "AF", "HA", "SA", "SU", "NE"), (*EMOTIONS, "neutral"), strict=True)
)
"""The word for each code; AF is also how the names of women in session A begin."""
YAW_DEG: Mapping[str, str] = {"FL": "-90", "HL": "-45", "S": "0", "HR": "45", "FR": "90"}
"""Full and half left, straight, half and full right profile, in the order of paper B; S alone is one letter."""
ERRATA: Mapping[str, str] = {"AF31V": "AF31SAHL", "AM31H": "AM31SUHR", "FAHR": "FAFHR"}
"""Names as published, and what the pictures show."""

_CODES = rf"({'|'.join(EXPRESSIONS)})({'|'.join(YAW_DEG)})"
_PATTERN = re.compile(rf"([AB])([FM])(0[1-9]|[12]\d|3[0-5]){_CODES}")
_NAMING = Naming("KDEF", "AF01/AF01ANFL.JPG", _PATTERN)
_AVERAGED = re.compile(rf"([FM]){_CODES}")
_FOLDER = re.compile(r"[AB][FM]\d\d")


def index_kdef(source: Source) -> Iterator[PhotoRecord]:
    """Every photo, one at a time; none is opened.

    Sessions A and B show the same people: the subject is sex and number (`F01`). `labels` hold `session`,
    `expression`, `angle`, `yaw_deg`, and `corrected` where the published name is wrong. The averaged faces (AKDEF)
    have no subject. Some photos are black: see `pictures.require_not_black`. Raises `DataError` when there is none,
    or one in a person's folder has another kind of name.
    """
    return index_by_name(source, describe_kdef, _NAMING.nothing("AF01 to BM35"))


def describe_kdef(path: str) -> PhotoRecord | None:
    """What a path says; None when it is another file. Raises `DataError`."""
    folder, name = folder_and_name(path)
    stem, dot, suffix = name.rpartition(".")
    if not dot or suffix.upper() != "JPG":
        return None
    right = ERRATA.get(stem, stem)
    corrected = {"corrected": right} if right != stem else {}
    if found := _AVERAGED.fullmatch(right):
        return PhotoRecord(path, None, found[1].lower(), labels={**_conditions(found[2], found[3]), **corrected})
    of_person = _FOLDER.fullmatch(folder) is not None
    if not of_person and not _PATTERN.fullmatch(right):
        return None
    session, letter, number, expression, angle = _NAMING.parse(right, path)
    if of_person and folder != right[:4]:
        raise misplaced(path, right[:4])
    labels = {"session": session, **_conditions(expression, angle), **corrected}
    return PhotoRecord(path, letter + number, letter.lower(), labels=labels)


def _conditions(expression: str, angle: str) -> dict[str, str]:
    return {"expression": EXPRESSIONS[expression], "angle": angle, "yaw_deg": YAW_DEG[angle]}


def write_kdef(root: Path, session: str, subject: str, expression: str, angle: str, jpeg: bytes) -> str:
    """Write one photo under its name; returns its path relative to `root`.

    `subject` like F01, `expression` and `angle` by their codes. Raises `DataError` on a name KDEF does not have.
    """
    path = f"{session}{subject}/{session}{subject}{expression}{angle}.JPG"
    return write_named(root, path, describe_kdef, require_jpeg(jpeg, path))

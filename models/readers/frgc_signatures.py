"""FRGC's signature sets (`FRGC_Exp_2.0.3_Target.xml`, ...): whose face each recording's file shows."""

import re
from pathlib import Path
from xml.parsers import expat

from models.errors import DataError
from models.readers.limits import read_limited

Signatures = dict[str, str]
"""Subject (five digits) by stem of the file (`02463d546`)."""

_SUBJECT = re.compile(r"(?:.*\D)?(\d{5})")


def read_signatures(path: Path) -> Signatures:
    """Every file of a signature set with the subject it is filed under.

    Raises `DataError` on text that is no such set, on entities (nothing is expanded or fetched), and when one file is
    filed under two people.
    """
    reader = _Reader(str(path))
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EntityDeclHandler = reader.refuse_entity
    try:
        parser.Parse(read_limited(path), True)
    except expat.ExpatError as error:
        raise DataError(f"{path}:{error.lineno}: not a signature set ({expat.errors.messages[error.code]})") from None
    if not reader.found:
        raise DataError(f"{path}: names no file: not a signature set")
    return reader.found


class _Reader:
    """Notes the files of each signature as they pass by."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.found: Signatures = {}
        self._subject: str | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag.endswith("biometric-signature"):
            number = _SUBJECT.fullmatch(attributes.get("name", ""))
            self._subject = number[1] if number else None
        elif "file-name" in attributes:
            self._note(attributes["file-name"])

    def _note(self, file_name: str) -> None:
        stem = file_name.rpartition("/")[2].split(".", 1)[0]
        if self._subject is None:
            raise DataError(f"{self.where}: {stem!a} is filed under nobody: a signature's name ends in five digits")
        if self.found.setdefault(stem, self._subject) != self._subject:
            raise DataError(f"{self.where}: {stem!a} is filed under two people: fetch the set again")

    def refuse_entity(self, name: str, *_: object) -> None:
        raise DataError(f"{self.where}: declares the entity {name!a}: not a signature set")

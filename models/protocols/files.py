"""Protocols and splits as CSV: what is stored, compared and handed on is data, named by its hash."""

import csv
import io
from collections.abc import Iterable

from models.errors import DataError
from models.metrics.protocol import Exclusion, Member, Protocol
from models.protocols.splits import Aggregate, Example, Split

PROTOCOL_COLUMNS = ("role", "id", "subject", "reason")
SPLIT_COLUMNS = ("part", "id", "subject", "label", "reason")
AGGREGATE_COLUMNS = ("part", "subject", "label")
MAX_BYTES = 500_000_000


def protocol_csv(protocol: Protocol) -> bytes:
    """Roles gallery, probe and excluded, in order, one scan a row."""
    rows = [("gallery", member.id, member.subject, "") for member in protocol.gallery]
    rows += [("probe", member.id, member.subject, "") for member in protocol.probes]
    rows += [("excluded", left.id, "", left.reason) for left in protocol.exclusions]
    return _csv(PROTOCOL_COLUMNS, rows)


def parse_protocol(data: bytes, name: str, sha256: str | None = None) -> Protocol:
    """The protocol that `protocol_csv` wrote.

    Raises `DataError` on another form, a row's line included, and when its hash is not `sha256`.
    """
    gallery: list[Member] = []
    probes: list[Member] = []
    left: list[Exclusion] = []
    for role, identifier, subject, reason in _rows(data, name, PROTOCOL_COLUMNS, ("gallery", "probe", "excluded")):
        if role == "excluded":
            left.append(Exclusion(identifier, reason))
        else:
            (gallery if role == "gallery" else probes).append(Member(identifier, subject))
    protocol = Protocol(name, tuple(gallery), tuple(probes), tuple(left))
    _require_hash(protocol.hash(), sha256, name)
    return protocol


def split_csv(split: Split) -> bytes:
    """Parts training, validation and excluded, in order, one photo a row."""
    rows = [("training", *example, "") for example in split.training]
    rows += [("validation", *example, "") for example in split.validation]
    rows += [("excluded", left.id, "", "", left.reason) for left in split.exclusions]
    return _csv(SPLIT_COLUMNS, rows)


def parse_split(data: bytes, name: str, sha256: str | None = None) -> Split:
    """The split that `split_csv` wrote. Raises `DataError` as `parse_protocol` does."""
    training: list[Example] = []
    validation: list[Example] = []
    left: list[Exclusion] = []
    for part, identifier, subject, label, reason in _rows(
        data, name, SPLIT_COLUMNS, ("training", "validation", "excluded")
    ):
        if part == "excluded":
            left.append(Exclusion(identifier, reason))
        else:
            (training if part == "training" else validation).append(Example(identifier, subject, label))
    split = Split(name, tuple(training), tuple(validation), tuple(left))
    _require_hash(split.hash(), sha256, name)
    return split


def aggregates_csv(rows: Iterable[Aggregate]) -> bytes:
    """One aggregate a row: part, subject, label, then its photos."""
    found = list(rows)
    many = max((len(row.ids) for row in found), default=0)
    columns = (*AGGREGATE_COLUMNS, *(f"photo_{number}" for number in range(1, many + 1)))
    return _csv(columns, ((row.part, row.subject, row.label, *row.ids) for row in found))


def _csv(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _rows(data: bytes, name: str, columns: tuple[str, ...], kinds: tuple[str, ...]) -> list[list[str]]:
    """All rows below the header, each of as many cells and of a known kind."""
    if len(data) > MAX_BYTES:
        raise DataError(f"protocol {name}: {len(data)} bytes: not a protocol")
    reader = csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline=""), strict=True)
    rows: list[list[str]] = []
    try:
        if next(reader, None) != list(columns):
            raise DataError(f"protocol {name}:1: the columns are not {', '.join(columns)}: not such a file")
        for row in reader:
            if len(row) != len(columns) or row[0] not in kinds:
                raise DataError(f"protocol {name}:{reader.line_num}: not {len(columns)} cells beginning with {kinds}")
            rows.append(row)
    except csv.Error as error:
        raise DataError(f"protocol {name}:{reader.line_num}: {error}: the file is damaged") from None
    return rows


def _require_hash(found: str, expected: str | None, name: str) -> None:
    if expected is not None and found != expected:
        raise DataError(f"protocol {name}: its hash is {found[:12]}, not {expected[:12]}: it was changed")

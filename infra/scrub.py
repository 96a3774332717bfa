"""Take words out of what other programs keep: their SQLite databases and their logs."""

import os
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from infra.database import WAIT_S
from infra.errors import DatabaseError
from infra.traces import Needles

SQLITE = b"SQLite format 3\x00"


def is_sqlite(path: Path) -> bool:
    """Whether a file is an SQLite database."""
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def scrub_sqlite(path: Path, wanted: Needles) -> int:
    """Overwrite every trace in every text of a database; returns how many cells that were.

    Free pages are wiped and the write-ahead log is emptied, so that the file's bytes hold nothing either. Raises
    `DatabaseError` where another program keeps it locked.
    """
    try:
        with closing(sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)) as connection:
            connection.create_function("wiped", 1, partial(_wiped, wanted), deterministic=True)
            connection.execute("PRAGMA secure_delete = ON")
            changed = sum(_scrub_table(connection, *table) for table in _tables(connection))
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return changed
    except sqlite3.OperationalError as error:
        raise DatabaseError(f"{path}: {error}; stop `trinormal serve` and whatever else uses it, then again") from None


def scrub_file(path: Path, wanted: Needles) -> bool:
    """Overwrite every trace in a log, in place: a program that appends to it goes on doing so."""
    with path.open("rb+") as file:
        content = file.read()
        wiped = wanted.wiped(content)
        if wiped == content:
            return False
        file.seek(0)
        file.write(wiped)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
        return True


def _tables(connection: sqlite3.Connection) -> list[tuple[str, list[str]]]:
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    own = [name for name in names if not name.startswith("sqlite_")]
    return [(name, [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(name)})")]) for name in own]


def _scrub_table(connection: sqlite3.Connection, table: str, columns: list[str]) -> int:
    changed = 0
    for name in map(_quoted, columns):
        which = f"typeof({name}) IN ('text', 'blob') AND wiped({name}) IS NOT {name}"
        done = connection.execute(f"UPDATE {_quoted(table)} SET {name} = wiped({name}) WHERE {which}")  # noqa: S608
        changed += done.rowcount
    return changed


def _wiped(wanted: Needles, cell: str | bytes) -> str | bytes:
    if isinstance(cell, bytes):
        return wanted.wiped(cell)
    return wanted.wiped(cell.encode(errors="surrogatepass")).decode(errors="surrogatepass")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

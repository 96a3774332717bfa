"""Whole copies of databases while they are in use: SQLite by its backup API, PostgreSQL by its own programs."""

import os
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, create_engine, inspect, make_url
from sqlalchemy.exc import SQLAlchemyError

from infra.errors import DatabaseError

SQLITE_MAGIC = b"SQLite format 3\0"


def is_sqlite(path: Path) -> bool:
    """Whether a file is an SQLite database."""
    with path.open("rb") as file:
        return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC


def copy_sqlite(source: Path, target: Path) -> None:
    """One consistent state of a database that others may be writing to."""
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def dump_postgres(url: str, target: Path) -> None:
    """One consistent state of a database, in PostgreSQL's own format. Raises `DatabaseError`."""
    _run(["pg_dump", "--format=custom", "--no-owner", f"--file={target}"], url)


def restore_postgres(source: Path, url: str) -> None:
    """Fill an empty database, wholly or not at all. Raises `DatabaseError`; see `require_empty`."""
    command = ["pg_restore", "--exit-on-error", "--single-transaction", "--no-owner"]
    _run([*command, f"--dbname={make_url(url).database}", str(source)], url)


def require_empty(url: str) -> None:
    """Raise `DatabaseError` when the database holds tables, or cannot be asked."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    try:
        tables = inspect(engine).get_table_names()
    except SQLAlchemyError as error:
        raise DatabaseError(f"database {_shown(url)}: {' '.join(str(error).split())[:200]}") from None
    finally:
        engine.dispose()
    if tables:
        raise DatabaseError(f"database {_shown(url)} holds {len(tables)} tables; create an empty one and name that")


def _run(command: Sequence[str], url: str) -> None:
    """A PostgreSQL program; where and who reach it by variables, so that no password is seen among the processes."""
    try:
        answer = subprocess.run(
            command, env={**os.environ, **_variables(make_url(url))}, capture_output=True, text=True
        )
    except FileNotFoundError:
        raise DatabaseError(f"{command[0]} is not installed; install PostgreSQL's client programs") from None
    if answer.returncode != 0:
        reason = " ".join(answer.stderr.split())[:300]
        raise DatabaseError(f"{command[0]} of {_shown(url)}: {reason}")


def _variables(url: URL) -> dict[str, str]:
    given = {
        "PGHOST": url.host,
        "PGPORT": str(url.port) if url.port else None,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    return {name: value for name, value in given.items() if value}


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)

"""Our own database: SQLite on one machine, PostgreSQL for several. Opening, sessions, and the schema's versions."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from infra.errors import DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_S = 30
MIGRATION_LOCK = 0x7472696E  # any number that other programs in the same database do not use


def open_engine(url: str, wait_s: float = WAIT_S) -> Engine:
    """An engine on SQLite or PostgreSQL; waits `wait_s` for a lock. Raises `DatabaseError` for other URLs."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseError("the database URL cannot be read; write sqlite:///FILE or postgresql://...") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(parsed.database, wait_s)
    if backend == "postgresql":
        options = f"-c lock_timeout={int(wait_s * 1000)}"
        arguments = {"connect_timeout": max(2, int(wait_s)), "options": f"{parsed.query.get('options', '')} {options}"}
        url_of_driver = parsed.set(drivername="postgresql+psycopg").difference_update_query(["options"])
        try:
            return create_engine(url_of_driver, pool_pre_ping=True, connect_args=arguments)
        except (ModuleNotFoundError, NoSuchModuleError):
            raise DatabaseError("PostgreSQL needs its driver: pip install 'psycopg[binary]'") from None
    raise DatabaseError(f"{backend} is not supported; write sqlite:///FILE or postgresql://...")


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest version; a no-op there. Processes that migrate at once wait for each other."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with writing(engine) as session:
        connection = session.connection()
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def writing(engine: Engine) -> Generator[Session]:
    """One transaction that may write: committed when the block ends, rolled back when it raises.

    SQLite takes its write lock at the start, so that two writers wait for each other and never fail half way.
    """
    with _explained(engine), Session(engine, expire_on_commit=False) as session, session.begin():
        session.connection()  # takes the lock now, not at the first statement
        yield session


@contextmanager
def reading(engine: Engine) -> Generator[Session]:
    """One consistent view that takes no write lock."""
    reader = engine.execution_options(sqlite_begin="DEFERRED")
    with _explained(engine), Session(reader, expire_on_commit=False) as session:
        yield session


def compact(engine: Engine) -> None:
    """After an erasure: leave no deleted row in free pages or in SQLite's write-ahead log."""
    with _explained(engine), engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        if engine.dialect.name == "sqlite":
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM"))


def _open_sqlite(database: str | None, wait_s: float) -> Engine:
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    # the driver's own autocommit games are off: `_begin` below opens every transaction
    engine = create_engine(f"sqlite:///{database or ''}", connect_args={"timeout": wait_s, "isolation_level": None})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'IMMEDIATE')}")


@contextmanager
def _explained(engine: Engine) -> Generator[None]:
    """Turn an unreachable or locked database into one line; the password never shows."""
    try:
        yield
    except (OperationalError, DBAPIError) as error:
        if not isinstance(error, OperationalError) and not error.connection_invalidated:
            raise
        reason = " ".join(str(error.orig).split())[:200]
        where = engine.url.render_as_string(hide_password=True)
        raise DatabaseError(f"database {where}: {reason}; is it running, reachable and not locked?") from error

"""A backup is taken while others write, and what is put back is what was there."""

import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from infra.backup import back_up, restore
from infra.database import migrate, open_engine
from infra.errors import DatabaseError, StoreError
from infra.settings import Settings, load_settings
from infra.store import ContentStore
from registry.lineage import ancestors, record_artefact
from tests.infra.databases import POSTGRES

KEY = "a" * 64


@pytest.fixture
def databases() -> Iterator[list[str]]:
    """URLs of two empty PostgreSQL databases, dropped afterwards."""
    pytest.importorskip("psycopg", reason="no PostgreSQL driver")
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    names = [f"trinormal_{uuid4().hex}" for _ in range(2)]
    try:
        with server.connect() as connection:
            for name in names:
                connection.execute(text(f"CREATE DATABASE {name}"))
    except SQLAlchemyError:
        pytest.skip("no PostgreSQL answers; set TRINORMAL_TEST_POSTGRES_URL")
    yield [make_url(POSTGRES).set(database=name).render_as_string(hide_password=False) for name in names]
    with server.connect() as connection:
        for name in names:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


def live_home(home: Path, **more: str) -> Settings:
    """A home with an artefact, a row about it, another program's database, a key, and what is not worth keeping."""
    settings = load_settings(home=home, **more)
    made = ContentStore(settings.store).ensure("stage", KEY, lambda folder: write(folder / "face.txt", "face"))
    engine = open_engine(settings.database_url.get_secret_value())
    migrate(engine)
    record_artefact(engine, made.key, "stage", "c" * 64, [])
    engine.dispose()
    write(home / "keys" / "key", "secret")
    write(home / "cache" / "kernel", "made again")
    write(home / "store" / "stage" / "aa" / f".{KEY}.1.partial" / "half", "half")
    home.joinpath("prefect").mkdir()
    with closing(sqlite3.connect(home / "prefect" / "prefect.db")) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE pair (a INTEGER, b INTEGER)")
        database.execute("INSERT INTO pair VALUES (0, 0)")
    return settings


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def set_aside(settings: Settings) -> Path:
    return settings.home.rename(settings.home.with_name("old"))


def test_a_home_comes_back_as_it_was(tmp_path: Path):
    settings = live_home(tmp_path / "home")
    summary = back_up(settings, tmp_path / "backup.tar")
    assert summary.databases == 2
    assert (tmp_path / "backup.tar").stat().st_mode & 0o077 == 0
    old = set_aside(settings)
    assert restore(settings, tmp_path / "backup.tar") == summary
    names = {path.relative_to(settings.home).as_posix() for path in settings.home.rglob("*") if path.is_file()}
    assert names == {f"store/stage/aa/{KEY}/{name}" for name in ("face.txt", "manifest.json")} | {
        "keys/key",
        "trinormal.db",
        "prefect/prefect.db",
    }
    store = ContentStore(settings.store)
    store.verify(store.get("stage", KEY))
    assert (settings.home / "keys" / "key").read_bytes() == (old / "keys" / "key").read_bytes()
    engine = open_engine(settings.database_url.get_secret_value())
    assert [node.stage for node in ancestors(engine, KEY)] == ["stage"]
    engine.dispose()


def test_a_database_that_is_written_to_meanwhile_is_one_consistent_state(tmp_path: Path):
    settings, ended = live_home(tmp_path / "home"), Event()

    def keep_equal() -> None:
        with closing(sqlite3.connect(settings.home / "prefect" / "prefect.db", timeout=30)) as database:
            number = 0
            while not ended.is_set():
                number += 1
                with database:
                    database.execute("UPDATE pair SET a = ?", (number,))
                    database.execute("UPDATE pair SET b = ?", (number,))

    writer = Thread(target=keep_equal)
    writer.start()
    try:
        for number in range(3):
            back_up(settings, tmp_path / f"{number}.tar")
    finally:
        ended.set()
        writer.join()
    set_aside(settings)
    restore(settings, tmp_path / "2.tar")
    with closing(sqlite3.connect(settings.home / "prefect" / "prefect.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        a, b = database.execute("SELECT a, b FROM pair").fetchone()
    assert a == b > 0


def test_a_home_in_use_is_never_overwritten(tmp_path: Path):
    settings = live_home(tmp_path / "home")
    back_up(settings, tmp_path / "backup.tar")
    with pytest.raises(StoreError, match="is in use; set it aside"):
        restore(settings, tmp_path / "backup.tar")
    assert (settings.home / "keys" / "key").read_text() == "secret"


@pytest.mark.parametrize("harm", ["flip", "drop", "add", "cut", "no manifest"])
def test_a_damaged_backup_is_refused_and_nothing_is_changed(tmp_path: Path, harm: str):
    settings = live_home(tmp_path / "home")
    back_up(settings, tmp_path / "backup.tar")
    bad = damaged(tmp_path / "backup.tar", tmp_path / "bad.tar", harm)
    set_aside(settings)
    with pytest.raises(StoreError, match=r"bad\.tar: .*(use another)"):
        restore(settings, bad)
    assert not settings.home.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "bad.tar", "old"]


def damaged(source: Path, target: Path, harm: str) -> Path:
    if harm == "cut":
        target.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
        return target
    if harm == "flip":
        target.write_bytes(source.read_bytes().replace(b"secret", b"sacret"))
        return target
    unwanted = {"drop": "home/keys/key", "no manifest": "manifest.json"}.get(harm)
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old.getmembers():
            if member.name != unwanted:
                new.addfile(member, old.extractfile(member))
        if harm == "add":
            new.addfile(tarfile.TarInfo("home/keys/other"))
    return target


def test_a_backup_of_another_home_or_into_the_home_itself_is_refused(tmp_path: Path):
    settings = live_home(tmp_path / "home")
    back_up(settings, tmp_path / "backup.tar")
    with pytest.raises(StoreError, match=r"home, which MLflow's links name; set TRINORMAL_HOME"):
        restore(load_settings(home=tmp_path / "elsewhere"), tmp_path / "backup.tar")
    with pytest.raises(StoreError, match="name a file outside"):
        back_up(settings, settings.home / "backup.tar")


def test_postgresql_comes_back_into_an_empty_database_only(tmp_path: Path, databases: list[str]):
    first, second = databases
    settings = live_home(tmp_path / "home", database_url=first)
    summary = back_up(settings, tmp_path / "backup.tar")
    assert summary.databases == 2
    set_aside(settings)
    with pytest.raises(DatabaseError, match=r"holds \d+ tables; create an empty one"):
        restore(settings, tmp_path / "backup.tar")
    assert not settings.home.exists()
    anew = load_settings(home=settings.home, database_url=second)
    restore(anew, tmp_path / "backup.tar")
    engine = open_engine(second)
    assert [node.stage for node in ancestors(engine, KEY)] == ["stage"]
    engine.dispose()
    assert not (settings.home / "trinormal.db").exists()


def test_prefects_database_is_in_the_backup_too(tmp_path: Path, databases: list[str]):
    first, second = databases
    settings = live_home(tmp_path / "home", prefect_database_url=first)
    server = open_engine(first)
    with server.begin() as connection:
        connection.execute(text("CREATE TABLE flow_run (name TEXT)"))
        connection.execute(text("INSERT INTO flow_run VALUES ('the only one')"))
    server.dispose()
    assert back_up(settings, tmp_path / "backup.tar").databases == 3
    set_aside(settings)
    restore(load_settings(home=settings.home, prefect_database_url=second), tmp_path / "backup.tar")
    server = open_engine(second)
    with server.connect() as connection:
        assert connection.execute(text("SELECT name FROM flow_run")).scalars().all() == ["the only one"]
    server.dispose()


def test_a_database_that_does_not_answer_shows_no_password(tmp_path: Path):
    settings = load_settings(home=tmp_path / "home", database_url="postgresql://me:hunter2@127.0.0.1:1/none")
    write(settings.home / "file", "text")
    with pytest.raises(DatabaseError, match="pg_dump") as told:
        back_up(settings, tmp_path / "backup.tar")
    assert "hunter2" not in str(told.value)
    assert not (tmp_path / "backup.tar").exists()

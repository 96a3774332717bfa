import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from infra.database import compact, migrate, open_engine, reading, writing
from infra.errors import DatabaseError

TABLES = {"snapshot", "snapshot_row", "artefact", "lineage", "champion", "ledger", "trinormal_version"}
TABLES |= {"gallery_person", "gallery_sample", "gallery_template", "erasure"}


def migrate_and_report(url: str, start: object, answers: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    try:
        migrate(open_engine(url))
        answers.put("")  # type: ignore[attr-defined]
    except Exception as error:
        answers.put(repr(error))  # type: ignore[attr-defined]


def test_migrating_makes_every_table_and_migrating_again_changes_nothing(engine: Engine):
    assert set(inspect(engine).get_table_names()) == TABLES
    migrate(engine)
    with reading(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM trinormal_version")) == 1


def test_processes_that_migrate_at_once_all_succeed(database_url: str):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "infra.database", "registry.ledger", "psycopg"])
    start, answers = context.Barrier(3), context.Queue()
    workers = [context.Process(target=migrate_and_report, args=(database_url, start, answers)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert [answers.get(timeout=60) for _ in workers] == ["", "", ""]
    for worker in workers:
        worker.join()


def test_a_block_that_raises_writes_nothing(engine: Engine):
    with pytest.raises(ZeroDivisionError), writing(engine) as session:
        session.execute(text("INSERT INTO champion VALUES ('m', 1, '1', NULL, 0, '')"))
        raise ZeroDivisionError
    with reading(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM champion")) == 0


def test_sqlite_is_durable_checks_references_and_wipes_what_is_deleted(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'deep' / 'a.db'}")
    with reading(engine) as session:
        pragmas = [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")]
        assert pragmas == ["wal", 2, 1]
        assert session.scalar(text("PRAGMA secure_delete")) == 1
    engine.dispose()


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Iterator[tuple[Path, Engine]]:
    file = tmp_path / "a.db"
    engine = open_engine(f"sqlite:///{file}", wait_s=0.2)
    migrate(engine)
    yield file, engine
    engine.dispose()


def test_a_held_lock_is_one_clear_line_after_the_wait(sqlite_file: tuple[Path, Engine]):
    file, engine = sqlite_file
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError, match="locked") as caught, writing(engine):
        pass
    assert "\n" not in str(caught.value)
    holder.execute("ROLLBACK")
    holder.close()
    with writing(engine) as session:
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"


def test_a_reader_is_not_held_up_by_a_writer(sqlite_file: tuple[Path, Engine]):
    _, engine = sqlite_file
    with writing(engine) as writer:
        writer.execute(text("INSERT INTO champion VALUES ('m', 1, '1', NULL, 0, '')"))
        with reading(engine) as reader:
            assert reader.scalar(text("SELECT count(*) FROM champion")) == 0


def test_a_writer_waits_for_the_one_before_it(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(engine)
    with writing(engine) as session:
        session.execute(text("INSERT INTO champion VALUES ('m', 0, NULL, NULL, 0, '')"))

    def add_one() -> None:
        for _ in range(10):
            with writing(engine) as session:
                epoch = session.scalar(text("SELECT epoch FROM champion"))
                time.sleep(0.001)
                session.execute(text("UPDATE champion SET epoch = :epoch"), {"epoch": (epoch or 0) + 1})

    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engine) as session:
        assert session.scalar(text("SELECT epoch FROM champion")) == 40
    engine.dispose()


def test_compacting_leaves_no_byte_of_what_was_deleted(sqlite_file: tuple[Path, Engine]):
    file, engine = sqlite_file
    with writing(engine) as session:
        session.execute(text("INSERT INTO champion VALUES ('canary-4711', 1, '1', NULL, 0, '')"))
    with writing(engine) as session:
        session.execute(text("DELETE FROM champion"))
    compact(engine)
    left = b"".join(path.read_bytes() for path in file.parent.iterdir())
    assert b"canary-4711" not in left


def test_an_unreachable_server_is_one_line_without_the_password():
    pytest.importorskip("psycopg")
    engine = open_engine("postgresql://someone:hunter2@127.0.0.1:1/none", wait_s=2)
    with pytest.raises(DatabaseError, match="is it running") as caught, reading(engine) as session:
        session.execute(text("SELECT 1"))
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://localhost/a", "not a url"])
def test_other_databases_are_refused(url: str):
    with pytest.raises(DatabaseError, match="sqlite:///FILE"):
        open_engine(url)

"""Traces are found in every place where a file can hide them, and wiped from logs and databases."""

import gzip
import hashlib
import re
import sqlite3
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.database import WAIT_S
from infra.errors import DatabaseError
from infra.scrub import is_sqlite, scrub_file, scrub_sqlite
from infra.traces import needles, telling, traces

NAME = "anna-p\u00e9rez"


def test_a_name_is_found_in_text_names_links_archives_and_tables(tmp_path: Path):
    (tmp_path / "plain.txt").write_text(f"photo of {NAME}.")
    (tmp_path / "json.txt").write_text('"anna-p\\u00e9rez"')
    (tmp_path / "url.txt").write_text("GET /anna-p%C3%A9rez/1")
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "empty").touch()
    (tmp_path / "link").symlink_to(f"/photos/{NAME}/1.jpg")
    (tmp_path / "a.gz").write_bytes(gzip.compress(f"{NAME} {NAME}".encode()))
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", f"{NAME} " * 50)
    pq.write_table(pa.table({"who": [NAME] * 20, "x": [1.0] * 20}), tmp_path / "a.parquet", compression="zstd")
    (tmp_path / "far.bin").write_bytes(bytes((1 << 24) - 4) + NAME.encode() + bytes(9))
    (tmp_path / "innocent.txt").write_text("anna-maria, anna, hannah-p\u00e9rez")
    (tmp_path / "torn.gz").write_bytes(b"\x1f\x8bno")
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04no")
    found = {str(path.relative_to(tmp_path)) for path in traces(tmp_path, needles([NAME]))}
    expected = {"plain.txt", "json.txt", "url.txt", NAME, f"{NAME}/empty", "link"}
    expected |= {"a.gz", "a.npz", "a.parquet", "far.bin"}
    assert found == expected


def test_names_count_as_whole_words_and_short_ones_are_not_looked_for():
    wanted = needles(["n000003", "n000003/0001_01.jpg"])
    assert wanted.within(b"F_n000003_AN01") and wanted.within(b'"n000003/0001_01.jpg"')
    assert not wanted.within(b"n0000031 xn000003")
    assert not needles([]).within(b"anything")
    assert [telling(name) for name in ("s7", "12345", "anna", "F0001")] == [False, False, True, True]


@given(st.data())
def test_words_and_hashes_are_found_and_wiped_where_a_plain_search_finds_them(data: st.DataObject):
    digests = [hashlib.sha256(bytes([number])).hexdigest() for number in range(3)]
    texts = data.draw(st.lists(st.sampled_from([*digests, "anna", "an-an", "p/1.jpg", "p/1.jpg.png"]), max_size=4))
    parts = [*digests, "anna", "an-an", "-an", "p/1.jpg", ".png", "x", "a", "-", " ", "0", "\xff"]
    content = "".join(data.draw(st.lists(st.sampled_from(parts), max_size=12))).encode("latin-1")
    either = b"|".join(re.escape(text.encode()) for text in sorted(texts, key=len, reverse=True))
    plain = re.compile(rb"(?<![A-Za-z0-9])(?:" + either + rb")(?![A-Za-z0-9])" if texts else rb"(?!)")
    wanted = needles(texts)
    assert wanted.within(content) == bool(plain.search(content))
    assert wanted.wiped(content) == plain.sub(b"erased", content)
    assert not wanted.within(wanted.wiped(content))


def test_a_database_keeps_no_byte_of_what_is_wiped(tmp_path: Path):
    path = tmp_path / "log.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute('CREATE TABLE "odd name" (id INTEGER PRIMARY KEY, "a ""word""" TEXT, raw BLOB, number REAL)')
    rows = [(f"{NAME} {'x' * 400} {n}", NAME.encode(), n / 2) for n in range(300)]
    connection.executemany('INSERT INTO "odd name" ("a ""word""", raw, number) VALUES (?, ?, ?)', rows)
    connection.execute('DELETE FROM "odd name" WHERE id % 2')
    connection.commit()
    assert is_sqlite(path)
    assert scrub_sqlite(path, needles([NAME])) == 300
    assert scrub_sqlite(path, needles([NAME])) == 0
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert NAME.encode() not in left
    first = connection.execute('SELECT * FROM "odd name" ORDER BY id LIMIT 1').fetchone()
    assert first == (2, f"erased {'x' * 400} 1", b"erased", 0.5)
    connection.close()


def test_a_locked_database_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert WAIT_S > 1
    monkeypatch.setattr("infra.scrub.WAIT_S", 0.1)
    path = tmp_path / "log.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE log (message TEXT)")
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseError, match="trinormal serve"):
        scrub_sqlite(path, needles([NAME]))
    connection.close()


def test_a_log_is_wiped_while_a_program_goes_on_writing_to_it(tmp_path: Path):
    path = tmp_path / "a.log"
    with path.open("ab", buffering=0) as log:
        log.write(f"one {NAME}\ntwo\n".encode())
        assert scrub_file(path, needles([NAME]))
        log.write(b"three\n")
    assert path.read_text() == "one erased\ntwo\nthree\n"
    assert not scrub_file(path, needles([NAME]))

import dataclasses
import hashlib
import json
import random
import weakref
from collections.abc import Iterable, Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from infra.database import reading, writing
from registry.catalogue import (
    BATCH,
    ManifestRow,
    Snapshot,
    add_snapshot,
    delete_snapshot,
    find_snapshot,
    list_snapshots,
    load_rows,
    snapshots_with,
    verify_snapshot,
)
from registry.errors import RegistryError
from registry.tables import Base


def row(number: int, **changes: object) -> ManifestRow:
    plain = ManifestRow(
        path=f"p{number % 3}/Ünïcode_{number}.jpg",
        sha256=f"{number:064x}",
        subject=f"p{number % 3}",
        role="train" if number % 2 else "gallery",
        size_bytes=1000 + number,
        width=112,
        height=96,
        labels={"expression": "joy", "angle": 0.1 * number, "one": 1.0},
        points=((1.5, 2.0), (3.0, 4.25)),
    )
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


class IdentityRow(ManifestRow):
    """A row that a weak set can hold: labels make the plain one unhashable."""

    __hash__ = object.__hash__


def add(engine: Engine, rows: Iterable[ManifestRow], licence: str = "CC0-1.0", name: str = "faces") -> Snapshot:
    return add_snapshot(engine, iter(rows), name=name, kind="photo", licence=licence, source="/photos")


ROWS = [row(number) for number in range(7)] + [
    ManifestRow("broken.jpg", "f" * 64, None, "train", 0, failure="not a picture")
]


def test_the_migrations_build_exactly_the_tables_the_code_declares(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "trinormal_version"})
        assert compare_metadata(context, Base.metadata) == []


def test_rows_come_back_as_they_went_in(engine: Engine):
    snapshot = add(engine, ROWS)
    assert sorted(load_rows(engine, snapshot.id), key=lambda row: row.path) == sorted(ROWS, key=lambda row: row.path)
    assert [row.role for row in load_rows(engine, snapshot.id, roles=["gallery"])] == ["gallery"] * 4


def test_the_same_rows_in_another_order_are_the_same_snapshot_and_stored_once(engine: Engine):
    first = add(engine, ROWS)
    shuffled = random.Random(5).sample(ROWS, len(ROWS))
    assert add(engine, shuffled, name="again") == first
    assert list_snapshots(engine) == (first,)
    with reading(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM snapshot_row")) == len(ROWS)


def test_the_id_is_the_hash_of_the_licence_and_the_sorted_row_hashes_in_every_database(engine: Engine):
    def plain(value: object) -> str:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    digests = sorted(hashlib.sha256(plain(vars(row)).encode()).hexdigest() for row in ROWS)
    header = plain({"kind": "photo", "licence": "CC0-1.0"})
    assert add(engine, ROWS).id == hashlib.sha256((header + "".join(digests)).encode()).hexdigest()


@pytest.mark.parametrize("field", ["sha256", "subject", "role", "labels", "points", "path"])
def test_any_change_in_a_row_is_another_snapshot(engine: Engine, field: str):
    values = {"sha256": "a" * 64, "labels": {"expression": "anger"}, "points": ((1.5, 2.0), (3.0, 4.5))}
    changed = [row(0, **{field: values.get(field, "other")}), *ROWS[1:]]
    assert add(engine, changed).id != add(engine, ROWS).id


def test_another_licence_is_another_snapshot(engine: Engine):
    assert add(engine, ROWS).id != add(engine, ROWS, licence="research only").id


def test_a_path_listed_twice_is_refused_and_leaves_nothing(engine: Engine):
    with pytest.raises(RegistryError, match="listed twice"):
        add(engine, [*ROWS, row(3, sha256="b" * 64)])
    assert list_snapshots(engine) == ()


@pytest.mark.parametrize("labels", [{"angle": float("nan")}, {"picture": b"raw"}])
def test_labels_that_json_cannot_say_are_refused_by_name(engine: Engine, labels: dict[str, object]):
    with pytest.raises(RegistryError, match="Ünïcode_2"):
        add(engine, [row(1), row(2, labels=labels)])


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE snapshot_row SET subject = 'p2' WHERE path = 'p0/Ünïcode_0.jpg'",
        "DELETE FROM snapshot_row WHERE path = 'p0/Ünïcode_0.jpg'",
        "UPDATE snapshot SET licence = 'MIT'",
        "INSERT INTO snapshot_row SELECT snapshot, sha256, 'new', sha256, subject, role, size_bytes, width, height, "
        "labels, points, failure FROM snapshot_row WHERE path = 'p0/Ünïcode_0.jpg'",
    ],
)
def test_tampering_with_a_stored_snapshot_is_found(engine: Engine, tampering: str):
    snapshot = add(engine, ROWS)
    verify_snapshot(engine, snapshot.id)
    with writing(engine) as session:
        session.execute(text(tampering))
    with pytest.raises(RegistryError, match="ingest it anew"):
        verify_snapshot(engine, snapshot.id)


def test_a_snapshot_is_found_by_the_start_of_its_id_unless_two_share_it(engine: Engine):
    snapshot = add(engine, ROWS)
    assert find_snapshot(engine, snapshot.id[:10]) == snapshot
    for wrong in ("", "%", "zz"):
        with pytest.raises(RegistryError, match="no snapshot begins"):
            find_snapshot(engine, wrong)


def test_erasing_finds_every_snapshot_of_a_person_and_removes_it(engine: Engine):
    with_p1 = add(engine, ROWS)
    without = add(engine, [row(0), row(3)])
    assert snapshots_with(engine, "p1") == (with_p1,)
    delete_snapshot(engine, with_p1.id)
    assert snapshots_with(engine, "p1") == ()
    assert list_snapshots(engine) == (without,)


def test_rows_are_taken_in_batches_and_never_all_held(engine: Engine):
    alive: weakref.WeakSet[ManifestRow] = weakref.WeakSet()
    most = 0

    def rows() -> Iterator[ManifestRow]:
        nonlocal most
        for number in range(3500):
            fresh = IdentityRow(**vars(row(number)))
            alive.add(fresh)
            most = max(most, len(alive))
            yield fresh

    assert add(engine, rows()).rows == 3500
    assert most <= 2 * BATCH

"""What the database counts, held against the rows that went in."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text

from infra.database import reading, writing
from registry.catalogue import PROVISIONAL, add_snapshot, find_listing, list_snapshots, snapshots_with
from registry.contents import Quarantined, Totals, count_by, count_by_label, quarantined, totals
from registry.errors import RegistryError
from registry.manifest import ManifestRow, Snapshot
from registry.tables import SnapshotRecord, now


def row(number: int) -> ManifestRow:
    """Every third file cannot be read, every fourth is nobody's, every second smiles."""
    return ManifestRow(
        f"{number:04d}.obj",
        f"{number:064x}",
        None if number % 4 == 0 else f"p{number % 7}",
        "gallery" if number % 5 else "probe",
        number,
        labels={"expression": "happy", "intensity": number % 3} if number % 2 else {},
        failure=f"{number:04d}.obj: torn" if number % 3 == 0 else None,
    )


ROWS = [row(number) for number in range(100)]


def add(engine: Engine, rows, **more: str) -> Snapshot:
    return add_snapshot(engine, rows, name="scans", kind="scan", licence="unknown", source="/scans", **more)


def test_totals_and_counts_are_those_of_the_rows(engine: Engine):
    add(engine, ROWS[:50])  # another snapshot in the same tables
    snapshot = add(engine, ROWS)
    people = {each.subject for each in ROWS} - {None}
    failed = sum(each.failure is not None for each in ROWS)
    size = sum(each.size_bytes for each in ROWS)
    assert totals(engine, snapshot.id) == Totals(100, 100 - failed, failed, size, len(people), 25)
    assert count_by(engine, snapshot.id, "subject") == Counter(each.subject for each in ROWS)
    assert count_by(engine, snapshot.id, "role") == Counter(each.role for each in ROWS)
    assert count_by_label(engine, snapshot.id, "expression") == {"happy": 50, None: 50}
    levels = Counter(None if number % 2 == 0 else str(number % 3) for number in range(100))
    assert count_by_label(engine, snapshot.id, "intensity") == levels


def test_failures_come_with_their_reasons_and_as_many_as_are_wanted(engine: Engine):
    snapshot = add(engine, ROWS)
    found = list(quarantined(engine, snapshot.id))
    assert sorted(found) == [Quarantined(each.path, each.failure) for each in ROWS if each.failure]
    assert list(quarantined(engine, snapshot.id, 3)) == found[:3]


def test_an_empty_snapshot_has_nothing_to_count(engine: Engine):
    snapshot = add(engine, [])
    assert totals(engine, snapshot.id) == Totals(0, 0, 0, 0, 0, 0)
    assert count_by(engine, snapshot.id, "subject") == {}


def test_another_data_set_is_another_snapshot_and_none_is_what_it_was_before_data_sets_were_known(engine: Engine):
    assert add(engine, ROWS, data_set="kdef").id != add(engine, ROWS, data_set="photos").id
    assert add(engine, ROWS).id not in {each.id for each in list_snapshots(engine) if each.data_set}


def test_a_listing_is_found_again_until_its_snapshot_is_gone(engine: Engine):
    assert find_listing(engine, "a" * 64) is None
    snapshot = add(engine, ROWS, listing="a" * 64)
    assert find_listing(engine, "a" * 64) == snapshot
    other = add(engine, reversed(ROWS), listing="b" * 64)
    assert (other.id, len(list_snapshots(engine))) == (snapshot.id, 1)


def test_nothing_sees_a_snapshot_before_its_last_row_is_in(engine: Engine):
    def watched():
        yield from ROWS
        assert list_snapshots(engine) == ()
        assert snapshots_with(engine, "p1") == ()

    assert add(engine, watched()).rows == 100


def test_while_rows_stream_in_others_may_write(engine: Engine):
    """Reading a million files takes minutes, and a lock that long would fail every other task."""

    def rows():
        for number in range(2500):
            yield row(number)
        add(engine, ROWS[:1])

    add(engine, rows())
    assert sorted(each.rows for each in list_snapshots(engine)) == [1, 2500]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
def test_an_interrupted_list_leaves_nothing(engine: Engine, stop: type[BaseException]):
    def rows():
        yield from (row(number) for number in range(1500))
        raise stop

    with pytest.raises(stop):
        add(engine, rows())
    with reading(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM snapshot_row")) == 0
        assert session.scalar(text("SELECT count(*) FROM snapshot")) == 0


def test_what_a_killed_writer_left_is_cleared_away_later(engine: Engine):
    old, young = (
        SnapshotRecord(id=PROVISIONAL + age, name="x", kind="photo", licence="x", source="x", rows=0, created=when)
        for age, when in (("old", now() - timedelta(days=9)), ("young", now()))
    )
    with writing(engine) as session:
        session.add_all([old, young])
    add(engine, ROWS)
    with reading(engine) as session:
        left = list(session.scalars(select(SnapshotRecord.id).where(SnapshotRecord.id.startswith(PROVISIONAL))))
    assert left == [f"{PROVISIONAL}young"]


@pytest.mark.parametrize("longest", [{"subject": "p" * 201}, {"role": "r" * 41}])
def test_a_name_that_no_column_holds_is_refused_by_its_path(engine: Engine, longest: dict[str, str]):
    values = {"subject": "p", "role": "train", **longest}
    with pytest.raises(RegistryError, match=r"long\.jpg"):
        add(engine, [ManifestRow("long.jpg", "1" * 64, size_bytes=1, **values)])

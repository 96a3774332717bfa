"""Differences between two lists, held against dictionaries; and against both databases."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from registry.catalogue import add_snapshot, load_rows_by_path
from registry.differences import Difference, differences, tally
from registry.errors import RegistryError
from registry.manifest import ManifestRow, Snapshot

PLAIN = ManifestRow("a/1.jpg", "1" * 64, "a", "train", 10, 64, 64, {"expression": "happy"})
NAMES = st.sampled_from(
    ["a/1.jpg", "a/10.jpg", "a/2.jpg", "a 1.jpg", "Ä/1.jpg", "Z/1.jpg", "ä/1.jpg", "z.jpg", "😀.jpg"]
)
ROWS = st.builds(
    ManifestRow,
    NAMES,
    st.sampled_from(["1" * 64, "2" * 64]),
    st.sampled_from([None, "a", "b"]),
    st.just("train"),
    st.just(10),
    labels=st.sampled_from([{}, {"expression": "happy"}, {"expression": "sad"}]),
)
LISTS = st.lists(ROWS, unique_by=lambda row: row.path).map(lambda rows: sorted(rows, key=lambda row: row.path))


@given(LISTS, LISTS)
def test_a_merge_finds_what_dictionaries_find(before: list[ManifestRow], after: list[ManifestRow]):
    old, new = ({row.path: row for row in rows} for rows in (before, after))
    both = old.keys() & new.keys()
    expected = {
        "added": new.keys() - old.keys(),
        "removed": old.keys() - new.keys(),
        "changed": {path for path in both if old[path].sha256 != new[path].sha256},
        "relabelled": {
            path for path in both if (old[path].subject, old[path].labels) != (new[path].subject, new[path].labels)
        },
    }
    found = list(differences(before, after))
    assert [each.path for each in found] == sorted(each.path for each in found)
    for what, paths in expected.items():
        assert {each.path for each in found if each.what == what} == paths
    assert tally(found) == {what: len(paths) for what, paths in expected.items()}


@given(LISTS)
def test_a_list_differs_from_itself_in_nothing_and_from_nothing_in_everything(rows: list[ManifestRow]):
    assert list(differences(rows, rows)) == []
    assert [each.what for each in differences([], rows)] == ["added"] * len(rows)
    assert [each.what for each in differences(rows, [])] == ["removed"] * len(rows)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": {"expression": "sad"}}, {"labels.expression": ("happy", "sad")}),
        ({"labels": {}}, {"labels.expression": ("happy", None)}),
        ({"subject": "b"}, {"subject": ("a", "b")}),
        ({"role": "gallery"}, {"role": ("train", "gallery")}),
        ({"failure": "torn"}, {"failure": (None, "torn")}),
    ],
)
def test_a_relabelled_row_says_what_was_and_what_is(change, said):
    (found,) = differences([PLAIN], [dataclasses.replace(PLAIN, **change)])
    assert found == Difference("relabelled", "a/1.jpg", said)


def test_other_bytes_and_another_label_are_told_apart():
    after = dataclasses.replace(PLAIN, sha256="2" * 64, size_bytes=11, width=70, subject="b")
    assert [each.what for each in differences([PLAIN], [after])] == ["changed", "relabelled"]


@pytest.mark.parametrize("second", ["a/0.jpg", "a/1.jpg"])
def test_rows_out_of_order_or_twice_are_refused(second: str):
    with pytest.raises(RegistryError, match="sort the rows by path"):
        list(differences([PLAIN, dataclasses.replace(PLAIN, path=second)], []))


def store(engine: Engine, rows: list[ManifestRow]) -> Snapshot:
    return add_snapshot(engine, rows, name="faces", kind="photo", licence="MIT", source="x")


def test_both_databases_stream_rows_in_the_order_the_merge_needs(engine: Engine):
    """PostgreSQL's own order puts lower case before upper case and skips blanks; code points do not."""
    names = ["a/1.jpg", "a/10.jpg", "a/2.jpg", "a 1.jpg", "Ä/1.jpg", "Z/1.jpg", "ä/1.jpg", "z.jpg", "_.jpg", "😀.jpg"]
    rows = [dataclasses.replace(PLAIN, path=name) for name in names]
    stored = store(engine, rows)
    assert [row.path for row in load_rows_by_path(engine, stored.id)] == sorted(names)
    changed = store(engine, [dataclasses.replace(rows[0], subject="b"), *rows[2:]])
    found = differences(load_rows_by_path(engine, stored.id), load_rows_by_path(engine, changed.id))
    assert [(each.what, each.path) for each in found] == [("relabelled", "a/1.jpg"), ("removed", "a/10.jpg")]


def test_neither_stream_is_held():
    alive = most = 0

    class Counted(ManifestRow):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def rows():
        nonlocal alive, most
        for number in range(2000):
            alive += 1
            most = max(most, alive)
            yield Counted(f"{number:06d}", "1" * 64, None, "train", 1)

    assert sum(1 for _ in differences(rows(), rows())) == 0
    assert most < 20

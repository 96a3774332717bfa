"""Whom a drift test looks at: some people and some rows, the same ones whatever else is there."""

from registry.manifest import ManifestRow
from tasks.samples import sample_rows


def rows(*subjects: str | None) -> list[ManifestRow]:
    return [ManifestRow(f"{number}.png", "0" * 64, who, "train", 1) for number, who in enumerate(subjects)]


def test_so_many_people_and_so_many_rows_of_each():
    found = sample_rows(rows(*"aaabbbcccddd"), people=3, each=2)
    subjects = [row.subject for row in found]
    assert len(subjects) == 6
    assert all(subjects.count(who) == 2 for who in subjects)


def test_who_is_chosen_does_not_depend_on_the_order_and_newcomers_only_push_out():
    few = {row.subject for row in sample_rows(rows(*"abcdefgh"), people=4, each=1)}
    assert few == {row.subject for row in sample_rows(rows(*"hgfedcba"), people=4, each=1)}
    more = {row.subject for row in sample_rows(rows(*"abcdefghijklmnop"), people=4, each=1)}
    assert more & set("abcdefgh") <= few


def test_rows_of_nobody_are_people_each_and_what_failed_is_left_out():
    found = sample_rows([*rows(None, None, "a"), ManifestRow("x", "", "b", "train", 0, failure="torn")], 9, 1)
    assert sorted(row.path for row in found) == ["0.png", "1.png", "2.png"]

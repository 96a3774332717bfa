"""Paper B's training and validation sets: sizes, no leaks where none may be, the same draw everywhere."""

import itertools
from collections import Counter
from dataclasses import replace
from math import comb

import pytest

from models.errors import DataError
from models.protocols.photos import (
    fei_gender_split,
    kdef_expression_split_by_image,
    kdef_expression_split_by_subject,
    kdef_individual_split,
)
from models.protocols.published import missing_from
from models.protocols.splits import Example, Split, aggregates, drawn
from models.readers.fei import index_fei
from models.readers.kdef import index_kdef
from tests.protocols import collections_by_name as names

GENDERS = {str(who): "f" if who % 2 else "m" for who in range(1, 201)}


@pytest.fixture(scope="module")
def kdef():
    return list(index_kdef(names.kdef()))


@pytest.fixture(scope="module")
def fei():
    return list(index_fei(names.fei(), GENDERS))


def test_the_collections_are_the_published_ones(kdef, fei):
    assert (len(kdef), len(fei)) == (4900, 2800)
    assert missing_from("kdef", kdef) == missing_from("fei", fei) == ((), ())
    assert missing_from("kdef", kdef[1:])[0] == ("AF01 afraid FL",)
    assert missing_from("fei", fei[1:])[0] == ("1-01",)


def test_ten_people_have_twenty_and_fifteen_photos_each(kdef):
    split = kdef_individual_split(kdef)
    assert (len(split.training), len(split.validation)) == (200, 150)
    assert set(Counter(row.subject for row in split.training).values()) == {20}
    assert set(Counter(row.subject for row in split.validation).values()) == {15}
    assert len({row.subject for row in split.training}) == 10
    assert all(row.label == row.subject for row in split.training)
    assert all(row.id.startswith("A") for row in (*split.training, *split.validation)), "one session"


def test_triples_number_1140_and_455_a_person_and_never_cross(kdef):
    split = kdef_individual_split(kdef)
    found = list(aggregates(split))
    counts = Counter((row.part, row.subject) for row in found)
    assert comb(20, 3) == 1140
    assert {counts["training", who] for who in {row.subject for row in split.training}} == {1140}
    assert {counts["validation", who] for who in {row.subject for row in split.validation}} == {455}
    side = {row.id: "training" for row in split.training} | {row.id: "validation" for row in split.validation}
    assert all({side[name] for name in row.ids} == {row.part} for row in found)
    assert len({row.ids for row in found}) == len(found) == 10 * (1140 + 455)


def test_expressions_by_image_split_2975_to_1925_evenly_over_expressions(kdef):
    split = kdef_expression_split_by_image(kdef)
    assert (len(split.training), len(split.validation)) == (2975, 1925)
    assert set(Counter(row.label for row in split.training).values()) == {425}
    assert set(Counter(row.label for row in split.validation).values()) == {275}
    assert len(split.subjects_on_both_sides()) == 70, "the leak that the split by subject avoids"


def test_expressions_by_subject_have_nobody_on_both_sides(kdef):
    split = kdef_expression_split_by_subject(kdef)
    assert split.subjects_on_both_sides() == ()
    assert (len(split.training), len(split.validation), len(split.exclusions)) == (2975, 1890, 35)
    (reason,) = {left.reason for left in split.exclusions}
    assert reason.endswith("trains, and nobody is on both sides")
    assert len({row.subject for row in split.training}) == 43
    assert len({row.subject for row in split.validation}) == 27


def test_women_and_men_of_fei_are_halved_as_people(fei):
    split = fei_gender_split(fei)
    assert split.subjects_on_both_sides() == ()
    for side in (split.training, split.validation):
        assert len(side) == 1400
        assert Counter(GENDERS[who] for who in {row.subject for row in side}) == {"f": 50, "m": 50}
        assert all(GENDERS[row.subject] == row.label for row in side)


def test_unknown_genders_and_aligned_copies_are_left_out_with_the_reason():
    photos = index_fei(["1-01.jpg", "2-01.jpg", "1a.jpg", "3-01.jpg"], {"1": "f", "2": "f"})
    split = fei_gender_split(photos)
    assert {row.id for row in (*split.training, *split.validation)} == {"1-01.jpg", "2-01.jpg"}
    assert dict(split.exclusions) == {"1a.jpg": "an aligned copy", "3-01.jpg": "no gender: give a list"}


def test_a_draw_depends_on_seed_and_names_alone(kdef):
    for build in (kdef_individual_split, kdef_expression_split_by_image, kdef_expression_split_by_subject):
        assert build(kdef).hash() == build(kdef[::-1]).hash()
        assert build(kdef).hash() != build(kdef, seed=1).hash()
    moved = [replace(photo, path=f"elsewhere/{photo.path}") for photo in kdef]
    ids = {f"elsewhere/{row.id}" for row in kdef_individual_split(kdef).training}
    assert ids == {row.id for row in kdef_individual_split(moved).training}
    assert drawn([("a", 1), ("b", 2), ("c", 3), ("d", 4)], 0) == [3, 2, 4, 1], "as `sha256sum` sorts 0/a to 0/d"


def test_every_person_is_drawn_as_often_as_any_other():
    counts = Counter(drawn(((name, name) for name in "abcdefgh"), seed)[0] for seed in range(800))
    assert all(60 < counts[name] < 145 for name in "abcdefgh"), counts


def test_averaged_faces_are_nobodys_and_do_not_enter(kdef):
    averaged = index_kdef(["AKDEF/FAHR.JPG", "AKDEF/MHAS.JPG"])
    assert kdef_expression_split_by_image([*kdef, *averaged]).hash() == kdef_expression_split_by_image(kdef).hash()


def test_a_photo_in_two_files_is_refused(kdef):
    twice = index_kdef(["AF31/AF31SAHL.JPG"])
    with pytest.raises(DataError, match="one photo in two files"):
        kdef_expression_split_by_image([*kdef, *twice])


def test_too_few_people_or_photos_are_told(kdef):
    few = [photo for photo in kdef if photo.subject in ("F01", "F02", "M01")]
    with pytest.raises(DataError, match="3 people have 35 photos in session A, 10 are needed"):
        kdef_individual_split(few)
    assert len(kdef_individual_split(few, people=3, training=4, validation=2).validation) == 6
    with pytest.raises(DataError, match="has no session"):
        kdef_individual_split(index_fei(["1-01.jpg"]))


def test_a_split_refuses_an_id_on_both_sides():
    row = Example("a", "x", "f")
    for parts in itertools.combinations([(row,), (row, row), ()], 2):
        if sum(map(len, parts)) > 1:
            with pytest.raises(DataError, match="listed more than once"):
                Split("s", *parts)

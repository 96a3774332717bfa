"""Inputs of classifiers out of splits, and the folds of splits, on the whole published collections."""

from collections import Counter, defaultdict
from itertools import combinations

import pytest

from models.errors import DataError
from models.protocols.own import photo_folds
from models.protocols.photos import (
    fei_gender_split,
    kdef_expression_split_by_image,
    kdef_expression_split_by_subject,
    kdef_individual_split,
)
from models.protocols.splits import Example, Split, aggregates, turned
from models.protocols.views import at_most, single_photos, whole_people, with_views
from models.readers.fei import index_fei
from models.readers.folder import index_photos
from models.readers.kdef import index_kdef
from tests.protocols import collections_by_name as names

SPLIT = Split(
    "small",
    (Example("1", "ann", "sad"), Example("2", "ann", "sad"), Example("3", "ann", "happy"), Example("4", "bob", "sad")),
    (Example("5", "ann", "sad"), Example("6", "cy", "sad"), Example("7", "cy", "sad")),
)
SESSION = {"1": "A", "2": "B", "3": "A", "4": "A", "5": "A", "6": "A", "7": "A"}


@pytest.fixture(scope="module")
def kdef():
    return list(index_kdef(names.kdef()))


def test_single_photos_are_the_photos():
    assert [(each.part, *each.ids) for each in single_photos(SPLIT)] == [
        *(("training", photo) for photo in "1234"),
        *(("validation", photo) for photo in "567"),
    ]


def test_whole_people_pool_what_is_of_one_person_and_label_on_one_side():
    assert [(each.part, each.subject, each.label, each.ids) for each in whole_people(SPLIT)] == [
        ("training", "ann", "sad", ("1", "2")),
        ("training", "ann", "happy", ("3",)),
        ("training", "bob", "sad", ("4",)),
        ("validation", "ann", "sad", ("5",)),
        ("validation", "cy", "sad", ("6", "7")),
    ]


def test_a_photo_with_its_views_never_sees_the_other_side_or_another_moment():
    assert [each.ids for each in with_views(SPLIT, SESSION.__getitem__)] == [
        ("1",),
        ("2",),
        ("3",),
        ("4",),
        ("5",),
        ("6", "7"),
        ("6", "7"),
    ]


def test_every_photo_of_kdef_comes_with_at_most_five_views_of_one_take(kdef):
    take = {photo.path: f"{photo.subject}{photo.labels['session']}{photo.labels['expression']}" for photo in kdef}
    session = {photo.path: photo.labels["session"] for photo in kdef}
    for split, whole in ((kdef_expression_split_by_subject(kdef), True), (kdef_expression_split_by_image(kdef), False)):
        sides = {row.id: "training" for row in split.training} | {row.id: "validation" for row in split.validation}
        found = list(with_views(split, session.__getitem__))
        assert len(found) == len(sides)
        assert all(len({take[photo] for photo in each.ids}) == 1 for each in found)
        assert all({sides[photo] for photo in each.ids} == {each.part} for each in found)
        sizes = Counter(len(each.ids) for each in found)
        assert (set(sizes) == {5}) == whole
        assert max(sizes) == 5


def test_some_of_many_sets_are_drawn_alike_for_everybody_and_for_ever():
    triples = list(aggregates(SPLIT, 1))
    few = list(at_most(triples, 1, seed=0))
    groups = Counter((each.part, each.subject, each.label) for each in few)
    assert set(groups.values()) == {1}
    assert len(groups) == 5
    assert few == list(at_most(triples, 1, seed=0))
    assert few == [each for each in triples if each in few], "in their order"
    assert list(at_most(triples, 99, seed=0)) == triples


def test_a_fold_turns_the_order_on():
    assert turned("abcdef", 0, 3) == list("abcdef")
    assert turned("abcdef", 1, 3) == list("cdefab")
    assert turned("abcde", 1, 2) == list("cdeab")


def test_fold_0_is_the_split_itself_and_all_folds_have_the_papers_sizes(kdef):
    fei = list(index_fei(names.fei(), {str(who): "fm"[who % 2] for who in range(1, 201)}))
    builders = [
        (kdef_individual_split, kdef, (200, 150)),
        (kdef_expression_split_by_image, kdef, (2975, 1925)),
        (kdef_expression_split_by_subject, kdef, (2975, 1890)),
        (fei_gender_split, fei, (1400, 1400)),
    ]
    for build, photos, sizes in builders:
        splits = [build(photos, fold=fold, folds=2) for fold in range(2)]
        assert splits[0].hash() == build(photos).hash()
        assert splits[1].hash() != splits[0].hash()
        assert {(len(split.training), len(split.validation)) for split in splits} == {sizes}


def test_in_seven_folds_every_photo_of_a_person_validates_three_times(kdef):
    times: defaultdict[str, int] = defaultdict(int)
    for fold in range(7):
        for row in kdef_individual_split(kdef, fold=fold, folds=7).validation:
            times[row.id] += 1
    assert set(times.values()) == {3}
    assert len(times) == 350


def test_in_two_folds_everybody_of_fei_validates_once():
    fei = list(index_fei(names.fei(), {str(who): "fm"[who % 2] for who in range(1, 201)}))
    sides = [{row.subject for row in fei_gender_split(fei, fold=fold, folds=2).validation} for fold in range(2)]
    assert not sides[0] & sides[1]
    assert len(sides[0] | sides[1]) == 200


def test_folds_by_subject_have_nobody_on_both_sides(kdef):
    for fold in range(5):
        assert kdef_expression_split_by_subject(kdef, fold=fold, folds=5).subjects_on_both_sides() == ()


def test_each_photo_of_a_folder_validates_once_and_people_are_spread_evenly():
    photos = list(index_photos([f"s{who}/{number}.pgm" for who in range(1, 9) for number in range(10)]))
    splits = photo_folds(photos, 5)
    sides = [{row.id for row in split.validation} for split in splits]
    assert all(not first & second for first, second in combinations(sides, 2))
    assert set().union(*sides) == {photo.path for photo in photos}
    for split in splits:
        assert set(Counter(row.subject for row in split.validation).values()) == {2}
        assert len(split.training) == 64


def test_people_with_one_photo_and_photos_of_nobody_are_left_out_with_the_reason():
    photos = index_photos(["ann/1.jpg", "ann/2.jpg", "bob/1.jpg", "bob/2.jpg", "cy/1.jpg", "loose.jpg"])
    first, _ = photo_folds(photos, 2)
    assert dict(first.exclusions) == {"cy/1.jpg": "the person's only photo", "loose.jpg": "nobody is named"}
    assert len(first.training) == len(first.validation) == 2


def test_too_few_people_or_photos_for_folds_are_told():
    two = [f"{who}/{number}.jpg" for who in ("ann", "bob") for number in (1, 2)]
    with pytest.raises(DataError, match="1 people have 2 photos"):
        photo_folds(index_photos(two[:2]), 2)
    with pytest.raises(DataError, match="fold 3 of 3 has no photo"):
        photo_folds(index_photos(two), 3)

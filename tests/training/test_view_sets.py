import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from models.training.view_sets import ViewSets


@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.integers(1, 4), st.integers(1, 5), st.integers(0, 3))
def test_every_set_shows_one_person_and_no_photo_comes_twice(people, views, sets, epoch):
    subjects = np.array(people)
    if np.bincount(subjects).max() < views:
        return
    order = ViewSets(subjects, views, sets, seed=5)
    order.set_epoch(epoch)
    batches = list(order)
    assert len(batches) == len(order)
    assert len(batches) > 0
    rows = np.concatenate(batches)
    assert len(np.unique(rows)) == len(rows)
    assert all((group == group[:1]).all() for batch in batches for group in subjects[batch].reshape(-1, views))
    assert len({len(batch) for batch in batches}) == 1


def test_all_photos_are_used_but_for_the_remainders():
    order = ViewSets(np.repeat(np.arange(5), 7), views=3, sets=2, seed=0)
    assert sum(len(batch) for batch in order) == 5 * 2 * 3
    assert len(order) == 5


def test_an_epoch_is_a_function_of_seed_and_number_and_epochs_differ():
    def rows(seed, epoch):
        order = ViewSets(np.repeat(np.arange(4), 6), views=2, sets=3, seed=seed)
        order.set_epoch(epoch)
        return np.stack(list(order))

    assert (rows(1, 2) == rows(1, 2)).all()
    assert (rows(1, 2) != rows(1, 3)).any()
    assert (rows(1, 2) != rows(2, 2)).any()


def test_too_many_views_are_refused_with_the_number_there_is():
    with pytest.raises(DataError, match=r"no person has 4 photos \(at most 3\)"):
        ViewSets(np.array([0, 0, 0, 1]), views=4, sets=1, seed=0)

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.training.paired_batches import PairedBatches

subjects = st.lists(st.integers(0, 5), min_size=1, max_size=40).map(lambda rows: np.array(rows, dtype=np.int64))


@given(subjects, st.integers(0, 100))
def test_an_epoch_in_one_batch_shows_every_photo_once(rows, seed):
    (batch,) = PairedBatches(rows, 100, seed)
    assert sorted(batch) == list(range(len(rows)))


@given(subjects, st.integers(0, 100))
def test_at_most_one_photo_of_a_person_stands_alone(rows, seed):
    (batch,) = PairedBatches(rows, 100, seed)
    shown = rows[batch].tolist()
    alone, place = [], 0
    while place < len(shown):
        paired = shown[place : place + 2] == 2 * [shown[place]]
        alone += [] if paired else [shown[place]]
        place += 2 if paired else 1
    assert len(alone) == len(set(alone))


def test_order_depends_on_seed_and_epoch_alone():
    rows = np.repeat(np.arange(20), 4)

    def epoch(seed, number):
        order = PairedBatches(rows, 16, seed)
        order.set_epoch(number)
        return np.concatenate(list(order))

    assert np.array_equal(epoch(1, 3), epoch(1, 3))
    assert not np.array_equal(epoch(1, 3), epoch(1, 4))
    assert not np.array_equal(epoch(1, 3), epoch(2, 3))


def test_pairs_are_mixed_over_all_people():
    rows = np.repeat(np.arange(50), 4)
    batches = list(PairedBatches(rows, 20, 0))
    assert len(batches) == 10
    assert min(len(np.unique(rows[batch])) for batch in batches) >= 8

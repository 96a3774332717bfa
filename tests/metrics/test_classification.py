"""Figures of classifiers against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import confusion_matrix, f1_score

from models.errors import DataError
from models.metrics.classification import UNANSWERED, balance, confusion, macro_f1

labels = st.integers(0, 4)
pairs = st.lists(st.tuples(labels, labels), min_size=1, max_size=60)


@given(pairs)
def test_confusion_and_macro_f1_are_scikit_learns(drawn):
    truth, answers = np.array(drawn).T
    found = confusion(truth, answers, 5)
    assert_array_equal(found.counts, confusion_matrix(truth, answers, labels=range(5)))
    assert not found.unanswered.any()
    assert_allclose(macro_f1(found), f1_score(truth, answers, average="macro", zero_division=0))


def test_an_input_without_an_answer_is_a_miss_of_its_class_and_an_answer_to_none():
    truth = np.array([0, 0, 1, 1])
    answers = np.array([0, UNANSWERED, 1, UNANSWERED])
    found = confusion(truth, answers, 2)
    assert_array_equal(found.counts, [[1, 0], [0, 1]])
    assert_array_equal(found.unanswered, [1, 1])
    assert_allclose(found.shares(), [[0.5, 0], [0, 0.5]])
    assert macro_f1(found) == pytest.approx(2 / 3), "precision 1 and recall 1/2 for both classes"


def test_shares_of_a_class_nobody_has_are_zero():
    found = confusion(np.array([0, 0]), np.array([0, 1]), 3)
    assert_allclose(found.shares(), [[0.5, 0.5, 0], [0, 0, 0], [0, 0, 0]])


def test_balance_says_how_uneven_the_classes_are():
    assert balance(np.array([0, 0, 0, 1]), 2) == ((3, 1), 0.75, 3.0)
    assert balance(np.array([0, 0]), 2).ratio == float("inf")


@pytest.mark.parametrize(
    ("truth", "answers"), [([], []), ([0, 2], [0, 1]), ([0, 1], [0, 2]), ([0, 1], [0, -2]), ([-1], [0])]
)
def test_no_labels_and_unknown_ones_are_refused(truth, answers):
    with pytest.raises(DataError):
        confusion(np.array(truth, dtype=np.int64), np.array(answers, dtype=np.int64), 2)

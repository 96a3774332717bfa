"""Figures over folds, by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax

from models.classifiers.design import Sets
from models.classifiers.scoring import Answered, score, voted
from models.metrics.intervals import mean_interval


def logits_of(answers, classes=3, sure=4.0):
    return sure * np.eye(classes)[np.array(answers)]


FOLDS = [
    Answered(logits_of([0, 1]), np.array([0, 2]), ("a", "b", "a"), np.array([0, 1, 1])),
    Answered(logits_of([2, 2, 1]), np.array([0, 1, 2]), ("a", "c", "c"), np.array([2, 2, 2])),
]


def test_inputs_without_an_answer_are_wrong_and_counted():
    found = score(FOLDS, 3, seed=0)
    assert found.inputs == 6
    assert found.unanswered == 1
    assert found.accuracy.value == pytest.approx(4 / 6)
    assert found.by_fold == pytest.approx((2 / 3, 2 / 3))
    assert_array_equal(found.confusion.counts, [[1, 0, 0], [0, 1, 0], [0, 1, 2]])
    assert_array_equal(found.confusion.unanswered, [0, 1, 0])


def test_the_interval_is_over_people_who_may_be_in_several_folds():
    found = score(FOLDS, 3, seed=5)
    hits = np.array([1, 0, 1, 1, 1, 0], dtype=np.float64)
    assert found.accuracy == mean_interval(hits, ["a", "b", "a", "a", "c", "c"], 5)
    assert found.accuracy.subjects == 3


def test_figures_are_plain_numbers_that_json_can_say():
    figures = score(FOLDS, 3, seed=0).figures()
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["ece"] is not None
    nothing = [Answered(np.zeros((0, 3)), np.array([], dtype=np.int64), ("a",), np.array([0]))]
    assert score(nothing, 3, seed=0).figures()["ece"] is None


def test_a_vote_is_the_mean_of_what_photos_say():
    photos = {"1": np.array([2.0, 0.0]), "2": np.array([-1.0, 1.5]), "3": np.array([0.0, 9.0])}
    sets = Sets((("1", "2"), ("lost",), ("3", "lost")), ("a", "b", "c"), np.array([[0], [0], [1]]))
    found = voted(photos, sets)
    assert_array_equal(found.kept, [0, 2])
    by_hand = (log_softmax(photos["1"]) + log_softmax(photos["2"])) / 2
    assert_allclose(found.logits[0], by_hand)
    assert_array_equal(found.answers(), [by_hand.argmax(), -1, 1])


def test_no_photo_at_all_answers_nothing():
    found = voted({}, Sets((("1",),), ("a",), np.array([[0]])))
    assert_array_equal(found.answers(), [-1])

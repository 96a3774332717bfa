"""The area under the ROC curve of pairs, against scikit-learn's."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cosine
from sklearn.metrics import roc_auc_score

from models.errors import DataError
from models.metrics.verification import verification_auc


@given(st.integers(0, 500), st.integers(2, 5), st.integers(2, 4))
def test_it_is_the_area_that_scikit_learn_finds_over_all_pairs(seed: int, people: int, each: int):
    rng = np.random.default_rng(seed)
    subjects = [f"p{number}" for number in range(people) for _ in range(each)]
    vectors = rng.normal(size=(people * each, 6)).astype(np.float32)
    centred = vectors.astype(np.float64) - vectors.astype(np.float64).mean(axis=0)
    pairs = list(itertools.combinations(range(len(subjects)), 2))
    same = [subjects[a] == subjects[b] for a, b in pairs]
    likeness = [1 - cosine(centred[a], centred[b]) for a, b in pairs]
    assert verification_auc(vectors, subjects) == pytest.approx(roc_auc_score(same, likeness), abs=1e-9)


def test_separate_people_give_one_and_a_constant_gives_chance():
    far = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    assert verification_auc(far, [*"aaaabbbbcccc"]) == pytest.approx(1.0)
    assert verification_auc(np.ones((6, 2), np.float32), [*"aabbcc"]) == pytest.approx(0.5)


@pytest.mark.parametrize("subjects", ["aaaa", "abcd"])
def test_pairs_of_one_kind_alone_say_nothing(subjects: str):
    with pytest.raises(DataError, match="pairs"):
        verification_auc(np.eye(4, dtype=np.float32), [*subjects])

"""Identities pooled over the photos of a subject."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from models.morphable.builtin import load_face
from models.reconstructors.pooling import pool_identities, subject_means

FACE = load_face(6, 3, subdivisions=0)


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=30), st.integers(0, 1000))
def test_the_mean_of_a_subject_is_the_mean_of_its_rows(subjects, seed):
    rows = np.random.default_rng(seed).normal(size=(len(subjects), 5)).astype(np.float32)
    means = subject_means(rows, subjects)
    for mean, subject in zip(means, subjects, strict=True):
        slow = np.mean([row for row, owner in zip(rows, subjects, strict=True) if owner == subject], axis=0)
        assert_allclose(mean, slow, atol=1e-5)


def test_sharing_moves_the_identity_and_never_the_expression():
    rng = np.random.default_rng(0)
    own, shared = (rng.normal(size=(4, 9)).astype(np.float32) for _ in range(2))
    alone, half, full = (pool_identities(FACE, own, shared, share) for share in (0.0, 0.5, 1.0))
    for row in range(4):
        assert_allclose(alone[row].identity, own[row, :6])
        assert_allclose(half[row].identity, (own[row, :6] + shared[row, :6]) / 2, atol=1e-6)
        assert_allclose(full[row].identity, shared[row, :6], atol=1e-6)
        assert all(np.array_equal(case[row].expression, own[row, 6:]) for case in (alone, half, full))

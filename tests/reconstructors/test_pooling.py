"""Identities pooled over the photos of a subject and spread again, and expressions worn by other faces."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from models.reconstructors.pooling import (
    LARGEST_GAIN,
    Subjects,
    Wearing,
    pool_identities,
    restored_spread,
    subject_means,
    worn_expressions,
)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 7), st.integers(0, 1000))
def test_the_mean_of_a_subject_is_the_mean_of_its_rows_however_they_are_cut_into_blocks(owners, block, seed):
    rows = np.random.default_rng(seed).normal(size=(len(owners), 5)).astype(np.float32)
    owner = np.array(owners, dtype=np.int64)
    cuts = range(block, len(rows), block)
    means = subject_means(np.split(rows, cuts), np.split(owner, cuts), 4)
    for subject in range(4):
        own = rows[owner == subject]
        assert_allclose(means[subject], own.mean(axis=0) if len(own) else np.zeros(5), atol=1e-5)


def test_a_full_restoration_gives_every_component_the_spread_of_people():
    rng = np.random.default_rng(1)
    means = (rng.normal(size=(500, 4)) * [0.9, 0.5, 0.25, 1.3] + [0, 1, 0, 0]).astype(np.float32)
    restored = restored_spread(means, 1.0)
    assert_allclose(restored.std(axis=0)[:3], 1, atol=1e-5)
    assert_allclose(restored[:, 3], means[:, 3], atol=1e-5)
    assert_allclose(restored.mean(axis=0), means.mean(axis=0), atol=1e-5)


def test_restoration_is_bounded_and_leaves_a_constant_component_alone():
    means = np.random.default_rng(2).normal(size=(50, 2)).astype(np.float32) * np.float32([1e-3, 0])
    restored = restored_spread(means, 1.0)
    assert_allclose(restored.std(axis=0), [LARGEST_GAIN * means[:, 0].std(), 0], rtol=1e-4)


def test_no_restoration_changes_nothing():
    means = np.random.default_rng(3).normal(size=(20, 3)).astype(np.float32)
    assert_allclose(restored_spread(means, 0.0), means, atol=1e-6)


def test_pooling_draws_a_face_towards_its_subject():
    rng = np.random.default_rng(4)
    own, owner = rng.normal(size=(6, 5)).astype(np.float32), np.array([0, 0, 1, 1, 2, 2])
    means = subject_means([own], [owner], 3)
    plain, doubled = Subjects(means, means), Subjects(means, 2 * means)
    assert_allclose(pool_identities(own, owner, plain, 0.0), own, atol=1e-6)
    assert_allclose(pool_identities(own, owner, plain, 1.0), means[owner], atol=1e-6)
    assert_allclose(pool_identities(own, owner, plain, 0.5), (own + means[owner]) / 2, atol=1e-6)
    assert_allclose(pool_identities(own, owner, doubled, 0.75), 2 * means[owner] + (own - means[owner]) / 4, atol=1e-6)


def test_expressions_are_kept_borrowed_and_strengthened_as_asked():
    rng = np.random.default_rng(5)
    own, others = rng.normal(size=(2000, 3)).astype(np.float32), rng.normal(size=(7, 3)).astype(np.float32)
    assert_array_equal(worn_expressions(own, others, Wearing(0.0, 1.0, 1.0), np.random.default_rng(0)), own)
    borrowed = worn_expressions(own, others, Wearing(1.0, 1.0, 1.0), np.random.default_rng(0))
    assert {tuple(row) for row in borrowed} == {tuple(row) for row in others}
    half = worn_expressions(own, others, Wearing(0.5, 1.0, 1.0), np.random.default_rng(0))
    kept = (half == own).all(axis=1).mean()
    assert abs(kept - 0.5) < 5 * np.sqrt(0.25 / 2000)
    strength = worn_expressions(own, others, Wearing(0.0, 0.5, 2.0), np.random.default_rng(0)) / own
    assert_allclose(strength, strength[:, :1].repeat(3, axis=1), rtol=1e-5)
    assert 0.5 <= strength.min() < 0.55
    assert 1.95 < strength.max() <= 2.0

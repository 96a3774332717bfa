"""Secret rotations: drawn evenly, distances kept, and what somebody with stolen templates can and cannot do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from models.metrics.identification import euclidean_distances
from models.metrics.protection import bytes_needed, rotated, rotation_from, turned_back

LENGTH, PEOPLE = 64, 200


def some_rotation(seed: int, length: int = LENGTH) -> np.ndarray:
    return rotation_from(np.random.default_rng(seed).bytes(bytes_needed(length)), length)


def some_people(seed: int, count: int = PEOPLE) -> np.ndarray:
    """Unit embeddings that use a few directions more than others, as those of faces do."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, LENGTH)) * np.linspace(2, 0.3, LENGTH)
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_a_rotation_is_orthogonal_and_undone_by_its_inverse(seed: int, length: int):
    rotation = some_rotation(seed, length)
    assert_allclose(rotation @ rotation.T, np.eye(length), atol=1e-12)
    rows = np.random.default_rng(seed).normal(size=(3, length)).astype(np.float32)
    assert_allclose(turned_back(rotated(rows, rotation), rotation), rows, atol=1e-5)


def test_distances_stay():
    people, rotation = some_people(0), some_rotation(1)
    turned = rotated(people, rotation)
    assert_allclose(euclidean_distances(turned, turned), euclidean_distances(people, people), atol=2e-3)


def test_one_face_under_many_rotations_is_spread_evenly_over_the_sphere():
    face = some_people(0, 1)
    first = np.array([rotated(face, some_rotation(seed, LENGTH))[0, 0] for seed in range(400)])
    evenly = stats.beta(0.5, (LENGTH - 1) / 2)  # the law of a squared coordinate on the sphere
    assert stats.kstest(first.astype(np.float64) ** 2, evenly.cdf).pvalue > 1e-3
    assert stats.ttest_1samp(first, 0).pvalue > 1e-3


def linked(first: np.ndarray, second: np.ndarray) -> float:
    """Share of people whom a nearest-neighbour search finds in another gallery."""
    return float((euclidean_distances(first, second).argmin(axis=0) == np.arange(len(second))).mean())


def test_galleries_of_two_issues_cannot_be_joined_by_comparing_templates():
    people = some_people(0)
    noisy = some_people(0) + np.random.default_rng(5).normal(0, 0.02, size=people.shape).astype(np.float32)
    assert linked(people, noisy) > 0.99, "the attack works on unprotected templates and within one issue"
    assert linked(rotated(people, some_rotation(1)), rotated(noisy, some_rotation(1))) > 0.99
    hits = round(linked(rotated(people, some_rotation(1)), rotated(noisy, some_rotation(2))) * PEOPLE)
    assert stats.binomtest(hits, PEOPLE, 1 / PEOPLE).pvalue > 1e-3, "chance"


def test_what_one_issue_teaches_about_faces_says_nothing_of_another():
    """Inversion: a linear map from templates to pictures, learnt where both are known, applied to stolen templates."""
    rng = np.random.default_rng(3)
    to_pictures = rng.normal(size=(LENGTH, 100))
    known, stolen = some_people(1, 1000), some_people(2)
    pictures, hidden = known @ to_pictures, stolen @ to_pictures
    learnt = np.linalg.lstsq(known.astype(np.float64), pictures, rcond=None)[0]

    def recovered(templates: np.ndarray) -> float:
        return float(np.corrcoef((templates @ learnt).ravel(), hidden.ravel())[0, 1])

    assert recovered(stolen) > 0.99, "the attack works on unprotected templates"
    assert abs(recovered(rotated(stolen, some_rotation(7)))) < 0.05


def test_what_rotations_do_not_hide_is_how_alike_the_people_of_one_gallery_are():
    """The reason why templates are encrypted besides: whole galleries in clear can be matched by their distances."""
    people = some_people(0)
    profiles = [
        np.sort(euclidean_distances(turned, turned), axis=1)
        for turned in (rotated(people, some_rotation(1)), rotated(people, some_rotation(2)))
    ]
    found = euclidean_distances(*(profile.astype(np.float32) for profile in profiles)).argmin(axis=0)
    assert (found == np.arange(PEOPLE)).mean() > 0.9


def test_too_few_random_bytes_are_not_stretched():
    with pytest.raises(ValueError, match="buffer"):
        rotation_from(bytes(10), 4)

"""Coefficients of photos pooled into vectors, against sums written out; other sources refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models.classifiers.source import Source, require_source
from models.classifiers.table import CoefficientTable, pooled, within_covariance, within_scatter
from models.errors import ConfigurationError

SOURCE = Source("builtin-1/id5/exp3", "rnet abc", "def")


def some_table(photos=7, confidence=True, seed=0) -> CoefficientTable:
    rng = np.random.default_rng(seed)
    parts = {
        "identity": rng.normal(size=(photos, 5)).astype(np.float32),
        "expression": rng.normal(size=(photos, 3)).astype(np.float32),
    }
    trust = rng.uniform(0.1, 2, (photos, 5)).astype(np.float32) if confidence else None
    return CoefficientTable(SOURCE, tuple(f"p{number}" for number in range(photos)), parts, trust)


SETS = [("p0", "p3", "p5"), ("p1",), ("p2", "p4"), ("p6", "p1", "p0")]


def test_identities_are_weighted_number_by_number_and_expressions_are_not():
    table = some_table()
    found = pooled(table, SETS, ("identity", "expression"), confident=True)
    assert_array_equal(found.kept, range(4))
    assert table.confidence is not None
    for row, names in zip(found.values, SETS, strict=True):
        places = [int(name[1:]) for name in names]
        weighted = sum(table.confidence[p] * table.parts["identity"][p] for p in places)
        assert_allclose(row[:5], weighted / sum(table.confidence[p] for p in places), rtol=1e-5)
        assert_allclose(row[5:], sum(table.parts["expression"][p] for p in places) / len(places), rtol=1e-5, atol=1e-7)


def test_without_confidences_it_is_the_plain_mean():
    table = some_table(confidence=False)
    found = pooled(table, SETS, ("identity",), confident=False)
    assert_allclose(found.values[0], table.parts["identity"][[0, 3, 5]].mean(axis=0), rtol=1e-5)
    with pytest.raises(ConfigurationError, match="without C-Net's confidences"):
        pooled(table, SETS, ("identity",), confident=True)


def test_photos_without_a_face_do_not_take_part_and_a_set_of_them_is_left_out():
    table = some_table()
    found = pooled(table, [("lost", "p2"), ("lost", "gone"), ("p2",)], ("identity",), confident=True)
    assert_array_equal(found.kept, [0, 2])
    assert_allclose(found.values[0], found.values[1])


def test_what_a_reconstructor_does_not_give_is_told():
    with pytest.raises(ConfigurationError, match="hold no texture"):
        pooled(some_table(), SETS, ("texture",), confident=False)


def test_the_scatter_is_the_error_that_was_put_in():
    rng = np.random.default_rng(1)
    faces = np.repeat(rng.normal(0, 5, (400, 3)), 6, axis=0)
    noise = np.array([0.1, 1.0, 3.0])
    values = (faces + rng.normal(size=faces.shape) * noise).astype(np.float32)
    groups = [str(number // 6) for number in range(len(values))]
    assert_allclose(within_scatter(values, groups), noise, rtol=0.05)
    together = values @ np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    assert_allclose(within_covariance(together, groups)[0, 1], noise[0] ** 2, rtol=0.3)
    assert_allclose(np.diag(within_covariance(values, groups)), within_scatter(values, groups) ** 2, rtol=1e-5)
    assert_array_equal(within_scatter(values[:3], ["a", "b", "c"]), 0), "one photo of each says nothing"


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (SOURCE._replace(space="builtin-1/id99/exp29"), "space"),
        (SOURCE._replace(reconstructor="rnet xyz"), "reconstructor"),
        (SOURCE._replace(confidence=""), "C-Net"),
    ],
)
def test_coefficients_of_another_space_or_version_are_refused(other: Source, what: str):
    require_source(SOURCE, SOURCE, "here")
    with pytest.raises(ConfigurationError, match=rf"here: takes coefficients of {what} .* reconstruct the photos"):
        require_source(other, SOURCE, "here")

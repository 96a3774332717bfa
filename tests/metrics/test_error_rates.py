"""Error rates against scikit-learn, scipy's convex hull and cases worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.spatial import ConvexHull
from scipy.stats import norm
from sklearn.metrics import det_curve, roc_auc_score

from models.errors import DataError
from models.metrics.error_rates import (
    area_under_roc,
    convex_hull,
    det_axes,
    equal_error_rate,
    error_curve,
    thinned,
)


@st.composite
def scores(draw):
    """Genuine and impostor distances; few values, so that many tie."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    values = draw(st.sampled_from([4, 12, 1000]))
    genuine = rng.integers(0, values, draw(st.integers(1, 40))).astype(float)
    impostor = rng.integers(values // 4, values + values // 4, draw(st.integers(1, 60))).astype(float)
    return genuine, impostor


@given(scores(), st.integers(0, 5))
def test_the_curve_counts_both_errors_at_every_threshold(pair, failures):
    genuine, impostor = pair
    curve = error_curve(genuine, impostor, failures)
    for threshold, fmr, fnmr in zip(*curve, strict=True):
        assert fmr == pytest.approx(sum(d <= threshold for d in impostor) / len(impostor))
        assert fnmr == pytest.approx((sum(d > threshold for d in genuine) + failures) / (len(genuine) + failures))
    assert set(curve.thresholds[1:]) == set(genuine) | set(impostor)


@given(scores())
def test_curve_and_area_are_those_of_scikit_learn(pair):
    genuine, impostor = pair
    truth = np.repeat([1, 0], [len(genuine), len(impostor)])
    likeness = -np.concatenate([genuine, impostor])
    curve = error_curve(genuine, impostor)
    assert area_under_roc(curve) == pytest.approx(roc_auc_score(truth, likeness))
    fmr, fnmr, _ = det_curve(truth, likeness, drop_intermediate=False)
    ours = {(round(a, 9), round(b, 9)) for a, b in zip(curve.fmr, curve.fnmr, strict=True)}
    assert {(round(a, 9), round(b, 9)) for a, b in zip(fmr, fnmr, strict=True)} <= ours


def hull_of(curve) -> ConvexHull:
    """The ROC's hull with the corner (1, 0), which no classifier wants, to close it."""
    return ConvexHull(np.concatenate([np.stack([curve.fmr, 1 - curve.fnmr], axis=1), [[1.0, 0.0]]]))


def corners_of(hull: ConvexHull) -> set[tuple[float, float]]:
    return {(round(x, 9), round(y, 9)) for x, y in hull.points[hull.vertices]} - {(1.0, 0.0)}


@given(scores())
def test_the_hull_is_that_of_scipy(pair):
    curve = error_curve(*pair)
    ours, theirs = convex_hull(curve), hull_of(curve)
    points = np.stack([ours.fmr, 1 - ours.fnmr], axis=1)
    assert corners_of(theirs) <= {(round(x, 9), round(y, 9)) for x, y in points}
    outside = (points @ theirs.equations[:, :2].T + theirs.equations[:, 2]).max(axis=1)
    assert_allclose(outside, 0, atol=1e-9)  # on an edge, never within


@given(scores())
def test_the_equal_error_rate_is_where_the_hull_crosses_the_diagonal(pair):
    curve = error_curve(*pair)
    corners = sorted(corners_of(hull_of(curve)))
    along = np.linspace(0, 1, 20_001)
    hits = 1 - np.interp(along, *zip(*corners, strict=True))  # vertical edges: the upper end, as in the ROC
    expected = along[np.argmax(hits <= along)]
    assert equal_error_rate(curve) == pytest.approx(expected, abs=1e-4)
    plain = min(max(a, b) for a, b in zip(curve.fmr, curve.fnmr, strict=True))
    assert equal_error_rate(curve) <= plain + 1e-12


def test_rates_of_a_case_worked_by_hand():
    curve = error_curve(np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0]), failures=1)
    assert_allclose(curve.fmr, [0, 0, 0, 0.5, 0.5, 1])
    assert_allclose(curve.fnmr, [1, 0.75, 0.5, 0.5, 0.25, 0.25])
    assert equal_error_rate(curve) == pytest.approx(1 / 3)  # between (0, .5) and (.5, .25)


def test_separated_people_have_no_equal_error_and_twins_have_a_half():
    assert equal_error_rate(error_curve(np.array([0.1, 0.2]), np.array([0.8, 0.9]))) == 0
    same = np.arange(50.0)
    assert equal_error_rate(error_curve(same, same)) == pytest.approx(0.5)


def test_failures_alone_can_keep_the_two_rates_apart():
    """Accepting all makes FMR 1, so the two always meet on the hull, here on its last edge from (0, .9) to (1, .9)."""
    curve = error_curve(np.array([0.1]), np.array([0.8, 0.9]), failures=9)
    assert curve.fnmr[-1] == pytest.approx(0.9)
    assert equal_error_rate(curve) == pytest.approx(0.9)


def test_normal_scores_give_a_straight_det_line_with_the_known_equal_error():
    shares = (np.arange(20_000) + 0.5) / 20_000
    genuine, impostor = norm.ppf(shares), norm.ppf(shares) + 2.0
    curve = error_curve(genuine, impostor)
    assert equal_error_rate(curve) == pytest.approx(norm.cdf(-1), abs=2e-4)
    across, up = det_axes(curve)
    middle = (curve.fmr > 0.01) & (curve.fmr < 0.9) & (curve.fnmr > 0.01)
    assert_allclose(up[middle], -across[middle] - 2, atol=0.02)


def test_a_thinned_curve_keeps_the_ends_and_only_real_points():
    rng = np.random.default_rng(0)
    curve = error_curve(rng.normal(0, 1, 4000), rng.normal(2, 1, 40_000))
    few = thinned(curve, 100)
    assert len(few.fmr) <= 202
    assert (few.fmr[0], few.fnmr[0], few.fmr[-1], few.fnmr[-1]) == (0, 1, 1, 0)
    points = set(zip(*curve, strict=True))
    assert set(zip(*few, strict=True)) <= points
    assert few.fmr[few.fmr > 0].min() <= 5e-5
    assert area_under_roc(few) == pytest.approx(area_under_roc(curve), abs=5e-3)


@pytest.mark.parametrize(("genuine", "impostor"), [([], [1.0]), ([1.0], []), ([np.nan], [1.0]), ([1.0], [np.inf])])
def test_scores_of_one_kind_or_not_finite_are_refused(genuine, impostor):
    with pytest.raises(DataError):
        error_curve(np.array(genuine, dtype=float), np.array(impostor, dtype=float))

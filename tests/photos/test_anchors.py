"""The detector's decoding against slow loops."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from models.photos.anchors import anchors, decode, merge_overlapping, overlaps, scores


def test_the_anchors_are_the_cells_of_both_grids_in_reading_order() -> None:
    slow = [(8 * (x + 0.5), 8 * (y + 0.5)) for y in range(16) for x in range(16) for _ in range(2)]
    slow += [(16 * (x + 0.5), 16 * (y + 0.5)) for y in range(8) for x in range(8) for _ in range(6)]
    assert anchors().shape == (896, 2)
    assert_allclose(anchors(), slow)


def test_decoding_places_boxes_and_key_points_about_their_anchors() -> None:
    raw = np.random.default_rng(0).normal(scale=20, size=(896, 16)).astype(np.float32)
    decoded = decode(raw)
    for row in (0, 17, 511, 512, 895):
        x, y = anchors()[row]
        cx, cy, w, h = raw[row, :4] + (x, y, 0, 0)
        assert_allclose(decoded[row, :2], [[cx - w / 2, cy - h / 2], [cx + w / 2, cy + h / 2]], rtol=1e-4, atol=1e-4)
        assert_allclose(decoded[row, 2:], raw[row, 4:].reshape(6, 2) + anchors()[row], rtol=1e-5)


def test_scores_are_the_logistic_and_never_overflow() -> None:
    logits = np.zeros((896, 1), np.float32)
    logits[:3, 0] = (np.log(3), 1e30, -1e30)
    assert_allclose(scores(logits)[:4], [0.75, 1, 0, 0.5], atol=1e-6)


def as_points(x: int, y: int, w: int, h: int) -> np.ndarray:
    corners = [[x, y], [x + w, y + h]]
    return np.array(corners + [[x + w / 2, y + h / 2]] * 6, np.float32)


boxes = st.builds(as_points, st.integers(0, 20), st.integers(0, 20), st.integers(0, 15), st.integers(0, 15))


@given(boxes, boxes)
def test_overlap_counts_shared_cells(one: np.ndarray, other: np.ndarray) -> None:
    y, x = np.mgrid[:40, :40]
    inside = [(x >= b[0, 0]) & (x < b[1, 0]) & (y >= b[0, 1]) & (y < b[1, 1]) for b in (one, other)]
    union = (inside[0] | inside[1]).sum()
    expected = (inside[0] & inside[1]).sum() / union if union else 0
    assert_allclose(overlaps(one, other[None])[0], expected, atol=1e-5)


@settings(max_examples=60)
@given(st.lists(st.tuples(boxes, st.floats(0.5, 1, width=32)), max_size=12))
def test_merging_keeps_the_best_scores_and_no_two_of_one_face(rows) -> None:
    points = np.array([row[0] for row in rows], np.float32).reshape(-1, 8, 2)
    score = np.array([row[1] for row in rows], np.float32)
    merged = merge_overlapping(points, score)
    left, expected = list(np.argsort(-score, kind="stable")), []
    while left:
        group = [i for i in left if i == left[0] or overlaps(points[left[0]], points[i][None])[0] > 0.3]
        total = sum(float(score[i]) for i in group)
        expected.append((sum(float(score[i]) * points[i].astype(float) for i in group) / total, score[left[0]]))
        left = [i for i in left if i not in group]
    assert [each.score for each in merged] == [float(one) for _, one in expected]
    for each, (mean, _) in zip(merged, expected, strict=True):
        assert_allclose(each.points, mean, rtol=1e-4, atol=1e-4)

"""Similarities against the complex-number solution; crops against points drawn where they must arrive."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from models.errors import PhotoError
from models.photos.alignment import align_photo, similarity, template_points
from models.types import Photo

clouds = arrays(np.float64, (6, 2), elements=st.floats(-100, 100))
turns = st.tuples(st.floats(-3.1, 3.1), st.floats(0.1, 10), st.floats(-500, 500), st.floats(-500, 500))


def as_complex(points: np.ndarray) -> np.ndarray:
    return points[:, 0] + 1j * points[:, 1]


def moved(points: np.ndarray, turn: tuple[float, float, float, float]) -> np.ndarray:
    angle, scale, x, y = turn
    result = as_complex(points) * scale * np.exp(1j * angle) + x + 1j * y
    return np.stack([result.real, result.imag], axis=1)


@given(clouds, clouds)
def test_similarity_is_the_least_squares_solution_in_complex_numbers(source, target) -> None:
    s, t = as_complex(source - source.mean(axis=0)), as_complex(target - target.mean(axis=0))
    assume(np.std(s) > 0.1)
    assume(abs(np.vdot(s, t)) > 1e-3 * np.linalg.norm(s) * np.linalg.norm(t) + 1e-6)
    factor = np.vdot(s, t) / np.vdot(s, s)
    expected = [[factor.real, -factor.imag], [factor.imag, factor.real]]
    found = similarity(source, target)
    assert_allclose(found[:, :2], expected, atol=1e-7)
    assert_allclose(found @ [*source.mean(axis=0), 1], target.mean(axis=0), atol=1e-7)


@given(clouds, turns)
def test_similarity_recovers_any_turn_scale_and_shift(source, turn) -> None:
    assume(np.std(source, axis=0).max() > 0.1)
    target = moved(source, turn)
    found = similarity(source, target)
    assert_allclose(source @ found[:, :2].T + found[:, 2], target, atol=1e-6)


def test_a_mirrored_target_is_not_answered_with_a_reflection() -> None:
    source = np.array([[0.0, 0], [4, 0], [4, 1]])
    assert np.linalg.det(similarity(source, source * [1, -1])[:, :2]) > 0


@pytest.mark.parametrize("target", [np.zeros((4, 2)), np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])])
def test_similarity_without_an_answer_is_refused(target) -> None:
    square = np.array([[1.0, 0], [0, -1], [-1, 0], [0, 1]])  # the mirrored order: every turn is as bad
    with pytest.raises(ValueError, match="no similarity"):
        similarity(square, target)
    with pytest.raises(ValueError, match="no similarity"):
        similarity(np.ones((4, 2)), square)


def test_the_template_frames_alike_at_every_size_and_is_symmetric() -> None:
    small, large = template_points(112), template_points(224)
    assert_allclose((large + 0.5) / 224, (small + 0.5) / 112)
    mirrored = 223 - large[[1, 0, 2, 4, 3], 0]
    assert_allclose(mirrored, large[:, 0])
    assert large[1, 0] - large[0, 0] == pytest.approx(0.27 * 224)


def photo_with_dots(points: np.ndarray, radius: float) -> Photo:
    """Each of five dots is a Gaussian in red, green or blue, so that its place is its centroid."""
    y, x = np.mgrid[:480, :640]
    image = np.zeros((480, 640, 3))
    for index, (px, py) in enumerate(points):
        image[..., index % 3] += 250 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * radius**2))
    return Photo(np.clip(image, 0, 255).astype(np.uint8), "dots")


def centroid(image: np.ndarray, near: np.ndarray, radius: int) -> np.ndarray:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    weight = image * (np.hypot(x - near[0], y - near[1]) < radius)
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


@settings(max_examples=25, deadline=None)
@given(st.floats(-0.6, 0.6), st.floats(0.4, 3.5), st.sampled_from([64, 112, 224]))
def test_alignment_brings_the_points_to_the_template(angle: float, scale: float, size: int) -> None:
    centre = moved(np.full((1, 2), size / 2), (angle, 112 * scale / size, 0, 0))[0]
    turn = (angle, 112 * scale / size, 320 - centre[0], 240 - centre[1])
    points = moved(template_points(size), turn)
    photo = photo_with_dots(points, radius=max(1.5, 0.02 * 112 * scale))
    aligned = align_photo(photo, points.astype(np.float32), size)
    assert aligned.pixels.shape == (size, size, 3)
    for index, target in enumerate(template_points(size)):
        found = centroid(aligned.pixels[..., index % 3].astype(float), target, radius=size // 14)
        assert_allclose(found, target, atol=0.12)
    back = template_points(size) @ aligned.to_photo[:, :2].T + aligned.to_photo[:, 2]
    assert_allclose(back, points, atol=1e-3)


@pytest.mark.parametrize(
    "points",
    [
        np.full((5, 2), 9.0),
        np.full((5, 2), np.nan),
        np.full((5, 2), np.inf),
        template_points(112) * 0.01,
        template_points(100) * [-1, 1],
        template_points(100)[[2, 3, 4, 0, 1]],
    ],
    ids=["coincident", "nan", "infinite", "tiny", "mirrored", "in the wrong order"],
)
def test_points_that_are_no_face_are_refused(points: np.ndarray) -> None:
    photo = Photo(cv2.randu(np.empty((100, 100, 3), np.uint8), 0, 255), "someone.jpg")
    with pytest.raises(PhotoError, match=r"someone\.jpg"):
        align_photo(photo, points.astype(np.float32), 112)


def test_a_full_profile_is_still_aligned() -> None:
    profile = np.array([[0.0, 0], [2, 0], [-30, 30], [-12, 53], [-10, 53]], np.float32) + 50
    aligned = align_photo(Photo(np.zeros((150, 150, 3), np.uint8), "profile"), profile, 112)
    assert aligned.pixels.shape == (112, 112, 3)

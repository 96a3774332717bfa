"""Facts against closed forms and slow obvious versions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.facts.coefficients import coefficient_facts
from models.facts.embeddings import embedding_facts
from models.facts.normals import LENGTH_TOLERANCE, normal_facts
from models.facts.photos import photo_facts
from models.facts.scans import UNITS_MM, scan_facts, seeming_unit
from models.geometry.encoding import encode_normals
from models.types import NormalImages, Scan


def unit_images(seed: int, many: int, side: int) -> tuple[np.ndarray, list[NormalImages]]:
    """Encoded images of random unit normals, some along axes and some cells without a surface."""
    rng = np.random.default_rng(seed)
    images = []
    for _ in range(many):
        normals = rng.normal(size=(side, side, 3))
        normals[0, :3] = -np.eye(3)
        normals = (normals / np.linalg.norm(normals, axis=-1, keepdims=True)).astype(np.float32)
        valid = rng.random((side, side)) < 0.7
        valid[0, :3] = True
        images.append(NormalImages(np.where(valid[..., None], normals, np.float32(0)), valid))
    return np.stack([encode_normals(image) for image in images]), images


@given(st.integers(0, 10_000))
def test_encoded_unit_normals_are_within_the_tolerance_and_the_rest_is_as_measured_slowly(seed: int):
    planes, images = unit_images(seed, 3, 9)
    facts = normal_facts(planes)
    for number, image in enumerate(images):
        seen = [planes[number, :, row, column] / 127.5 - 1 for row, column in np.argwhere(image.valid)]
        lengths = [float(np.sqrt((normal**2).sum())) for normal in seen]
        assert facts.length_error[number] == pytest.approx(max(abs(length - 1) for length in lengths), abs=1e-5)
        assert facts.length_error[number] < LENGTH_TOLERANCE
        assert facts.valid_share[number] == pytest.approx(image.valid.mean())
        assert facts.mean_z[number] == pytest.approx(np.mean([normal[2] for normal in seen]), abs=1e-5)
        assert facts.lowest[number] == pytest.approx(min(normal.min() for normal in seen), abs=1e-5)
        assert facts.highest[number] == pytest.approx(max(normal.max() for normal in seen), abs=1e-5)
    assert facts.torn.tolist() == [0, 0, 0]


@given(st.integers(0, 10_000), st.sampled_from([0.8, 0.9, 1.1, 1.2]))
def test_one_normal_of_another_length_is_seen(seed: int, length: float):
    planes, images = unit_images(seed, 2, 9)
    row, column = np.argwhere(images[1].valid)[-1]
    stored = np.rint(127.5 * (np.array([0.0, 0.0, length]) * 0.8 + 0.2 * np.array([length, 0, 0]) + 1))
    planes[1, :, row, column] = np.clip(stored, 1, 255)
    expected = abs(np.linalg.norm(planes[1, :, row, column] / 127.5 - 1) - 1)
    facts = normal_facts(planes)
    assert facts.length_error[1] >= expected - 1e-5
    assert facts.length_error[0] < LENGTH_TOLERANCE


def test_an_image_without_a_surface_and_a_torn_pixel_are_told():
    planes, _ = unit_images(0, 2, 9)
    planes[0] = 0
    planes[1, 0, 0, 0] = 0
    facts = normal_facts(planes)
    assert (facts.length_error[0], facts.valid_share[0], facts.mean_z[0]) == (1, 0, 0)
    assert facts.torn.tolist() == [0, 1]
    assert normal_facts(planes[:0]).length_error.shape == (0,)


def test_brightness_and_contrast_of_a_half_white_photo():
    pixels = np.zeros((10, 20, 3), np.uint8)
    pixels[:, 10:] = 255
    facts = photo_facts(pixels)
    assert facts == pytest.approx((20, 10, 127.5, 127.5))
    assert photo_facts(np.full((4, 4, 3), 80, np.uint8)) == pytest.approx((4, 4, 80, 0), abs=1e-4)
    assert photo_facts(np.zeros((0, 0, 3), np.uint8)).brightness == 0


def box(sides: tuple[float, float, float]) -> Scan:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32)
    return Scan(corners * np.array(sides, np.float32), np.zeros((12, 3), np.int32))


def test_a_scan_is_measured_in_the_unit_that_it_is_read_in():
    facts = scan_facts(box((0.16, 0.22, 0.11)), 1000.0)
    assert facts == (8, 12, 0, pytest.approx(160, rel=1e-5), pytest.approx(220, rel=1e-5), pytest.approx(110), "metres")


def test_vertices_that_are_not_finite_are_counted_and_left_out_of_the_size():
    scan = box((160, 220, 110))
    vertices = scan.vertices.copy()
    vertices[1, 2], vertices[2, 0] = np.nan, np.inf
    facts = scan_facts(Scan(vertices, scan.triangles), 1.0)
    assert (facts.non_finite, facts.extent_y_mm) == (2, 220)


@given(st.floats(145, 360), st.sampled_from(sorted(UNITS_MM)))
def test_the_unit_of_a_face_scan_is_told_by_its_size(largest_mm: float, unit: str):
    assert seeming_unit(largest_mm / UNITS_MM[unit]) == unit


@pytest.mark.parametrize("size", [0.0, 1e-4, 45.0 / 1000 / 10, 700.0, 1e5])
def test_what_is_no_face_in_any_unit_is_said_to_be_none(size: float):
    assert seeming_unit(size) == "no face's size in any unit"


def test_coefficients_are_measured_in_standard_deviations_and_what_is_not_finite_is_counted():
    identity = np.array([[3, -4, 0], [np.nan, 1, 0]], np.float32)
    expression = np.array([[1, -7], [np.inf, 2]], np.float32)
    light = np.array([[1e6], [-np.inf]], np.float32)
    facts = coefficient_facts(identity, expression, light)
    assert facts.non_finite.tolist() == [0, 3]
    assert facts.largest_identity.tolist() == [4, 1]
    assert facts.largest_expression.tolist() == [7, 2]
    assert facts.identity_norm.tolist() == [5, 1]


def test_a_reconstructor_without_coefficients_has_nothing_wrong_with_them():
    none = np.zeros((2, 0), np.float32)
    facts = coefficient_facts(none, none, none)
    assert [values.tolist() for values in facts] == [[0, 0]] * 4


def test_embeddings_are_told_by_length_and_distance_from_their_mean():
    features = np.array([[1, 0], [-1, 0], [0, np.nan]], np.float32)
    facts = embedding_facts(features)
    assert facts.non_finite.tolist() == [0, 0, 1]
    assert facts.norm.tolist() == [1, 1, 0]
    assert facts.from_mean.tolist() == [1, 1, 0]

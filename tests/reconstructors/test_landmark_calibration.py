"""What detected landmarks mean and how they err: the shipped asset, and the derivation on planted truths."""

import json
from importlib.resources import files

import numpy as np
import pytest
from numpy.testing import assert_allclose

from models.morphable.builtin import load_face, provenance
from models.morphable.landmark_calibration import load_landmark_calibration
from models.photos.alignment import template_points
from models.photos.points import five_points, landmarks68
from models.reconstructors.building.calibration import describe_errors, in_crop, match_vertices, skin
from models.reconstructors.building.views import View

FACE = load_face()


def test_dense_landmarks_lie_where_their_names_say():
    places = FACE.template[load_landmark_calibration().vertices]
    assert abs(places[1, 0]) < 3
    assert np.linalg.norm(places[1]) < 8, "the nose tip is the origin"
    marked = FACE.template[FACE.landmarks68]
    for mediapipe, ibug in ((33, 36), (133, 39), (362, 42), (263, 45), (61, 48), (291, 54), (0, 51), (17, 57)):
        assert np.linalg.norm(places[mediapipe] - marked[ibug]) < 7
    assert places[152, 1] == pytest.approx(places[:, 1].min(), abs=4), "the chin is lowest"
    assert places[13, 1] > places[14, 1], "the upper lip is above the lower"
    assert places[159, 1] > places[145, 1], "the upper lid is above the lower"


def test_dense_landmarks_are_as_symmetric_as_the_face():
    places = FACE.template[load_landmark_calibration().vertices]
    for left, right in ((33, 263), (133, 362), (61, 291), (50, 280), (105, 334)):
        assert_allclose(places[left] * [-1, 1, 1], places[right], atol=7)


def test_no_landmark_lies_on_an_eyeball():
    allowed = skin(FACE.triangles, len(FACE.template))
    assert allowed[load_landmark_calibration().vertices].all()
    assert not allowed[FACE.masks["pupil"] > 0.5].any()
    assert allowed[FACE.nose_tip]


def test_errors_of_the_networks_are_a_few_pixels():
    known = load_landmark_calibration()
    for errors in (known.dense, known.sparse):
        assert 0.4 < 224 * errors.deviation.min() < 224 * errors.deviation.max() < 3
        assert 224 * np.abs(errors.bias).max() < 15
        sizes = np.sqrt((errors.habits**2).sum(axis=(1, 2)))
        assert (np.diff(sizes) <= 1e-3).all(), "the strongest habit first"


def test_the_calibration_belongs_to_this_face_model():
    record = json.loads(files("models.morphable").joinpath("assets/landmark_calibration.json").read_text())
    assert record["face_model_builder_sha256"] == provenance()["builder_sha256"]
    assert record["views_with_a_face"] >= 0.95 * record["views_drawn"]


def test_planted_errors_are_described():
    rng = np.random.default_rng(0)
    bias, habit = rng.normal(0, 0.02, (30, 2)), rng.normal(0, 0.02, (30, 2))
    amount = rng.normal(size=(4000, 1, 1))
    found = describe_errors(bias + amount * habit + rng.normal(0, 0.005, (4000, 30, 2)), 1)
    assert_allclose(found.bias, bias, atol=2e-3)
    assert_allclose(found.habits[0] * np.sign((found.habits[0] * habit).sum()), habit, atol=2e-3)
    assert_allclose(found.deviation, np.hypot(0.005, 0.5 / 224), rtol=0.05)


def planted_view(rng: np.random.Generator, vertices: np.ndarray) -> View:
    """A face seen under a small turn, its landmarks some pixels off."""
    turn = np.radians(rng.normal(0, 12))
    x = FACE.template[:, 0] * np.cos(turn) + FACE.template[:, 2] * np.sin(turn)
    flat = np.stack([200 + 1.3 * x, 200 - 1.3 * FACE.template[:, 1]], axis=1).astype(np.float32)
    points = np.zeros((468, 3), np.float32)
    points[:, :2] = flat[vertices] + rng.normal(0, 0.8, (468, 2))
    return View(points, flat, np.ones(len(flat), np.float32), 1.3)


def test_planted_vertices_are_found_again_but_for_the_noise():
    rng = np.random.default_rng(1)
    allowed = skin(FACE.triangles, len(FACE.template)) & (FACE.template[:, 2] > -50)
    planted = rng.choice(np.flatnonzero(allowed), 468)
    found = match_vertices([planted_view(rng, planted) for _ in range(24)], allowed)
    gap = np.linalg.norm(FACE.template[found] - FACE.template[planted], axis=1)
    assert gap.mean() < 0.8
    assert gap.max() < 5


def test_displacements_are_measured_in_the_aligned_crop():
    known = load_landmark_calibration()
    flat = np.stack([100 + 2 * FACE.template[:, 0], 100 - 2 * FACE.template[:, 1]], axis=1).astype(np.float32)
    points = np.concatenate([flat[known.vertices], np.zeros((468, 1), np.float32)], axis=1)
    view = View(points, flat, np.ones(len(flat), np.float32), 2.0)
    eyes = five_points(points)[:2].astype(np.float64)
    measured = in_crop(view, (eyes[1] - eyes[0])[None])
    assert_allclose(measured[0], template_points(1)[1] - template_points(1)[0], rtol=0.1, atol=0.01)
    assert landmarks68(points).shape == (68, 2)

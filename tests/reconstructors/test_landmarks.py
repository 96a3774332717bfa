"""The landmark-based baseline: from detected points to a face, on made-up and on real photos."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from infra.assets import AssetFetchError, fetch_assets
from models.errors import AssetMissing, ConfigurationError
from models.faceworld.photos import person_albedo, take_photo
from models.faceworld.studio import open_studio
from models.morphable.builtin import load_face
from models.morphable.landmark_calibration import load_landmark_calibration
from models.photos.analysis import FaceNets, analyse, load_face_nets
from models.photos.assets import FACE_NETS
from models.photos.decoding import read_photo
from models.photos.points import five_points
from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.crop_camera import crop_camera
from models.reconstructors.landmarks import SIDE, landmark_fit
from models.reconstructors.protocol import Decoder, FacePhoto, Outcome, Reconstruction, Reconstructor, from_analysis
from models.reconstructors.scoring import shape_error
from models.rendering.camera import project, rotation_from_angles
from models.types import Coefficients, Failure, Photo, Pose

CPU = torch.device("cpu")
FACE = load_face()
KNOWN = load_landmark_calibration()
TRUE_POSE = Pose(4.0, -11.0, 0.0, (0.0, -4.0, -1030.0))


def some_coefficients(seed: int) -> Coefficients:
    rng = np.random.default_rng(seed)
    identity, expression = rng.normal(size=99) * 0.9, rng.normal(size=29) * 0.5
    return Coefficients(FACE.space, identity.astype(np.float32), expression.astype(np.float32), pose=TRUE_POSE)


def on_crop(truth: Coefficients, vertices: np.ndarray) -> np.ndarray:
    """Where the crop camera sees some vertices, in crop pixels."""
    shape = FACE.shape(truth.identity, truth.expression)[vertices]
    placed = shape @ rotation_from_angles(*TRUE_POSE[:3]).T + np.array(TRUE_POSE.translation_mm)
    return project(placed, crop_camera(SIDE))[:, :2].astype(np.float64)


def detected(truth: Coefficients, noise_px: float, seed: int = 0) -> np.ndarray:
    """468 points as the network would give them, but for its habits."""
    rng = np.random.default_rng(seed)
    points = on_crop(truth, KNOWN.vertices) + SIDE * KNOWN.dense.bias
    return points + rng.normal(0, noise_px, points.shape)


def as_photo(path: str, points: np.ndarray | None, zoom: float = 1.0, turn_deg: float = 0.0) -> FacePhoto:
    """A blank picture with those landmarks in it, `zoom` times as large, and turned."""
    if points is None:
        return FacePhoto(path, None, np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((5, 2), np.float32))
    radians = np.radians(turn_deg)
    matrix = zoom * np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    flat = np.concatenate([points @ matrix.T + 300, np.zeros((468, 1))], axis=1).astype(np.float32)
    return FacePhoto(path, None, np.zeros((SIDE, SIDE, 3), np.uint8), five_points(flat), flat)


def one(reconstructor: Reconstructor, photo: FacePhoto) -> Outcome:
    (outcome,) = reconstructor.reconstruct([photo], CPU)
    return outcome


def face_of(outcome: Outcome) -> Reconstruction:
    assert isinstance(outcome, Reconstruction), outcome
    return outcome


@pytest.fixture(scope="module")
def fit() -> Reconstructor:
    return open_reconstructor("landmarks")


def test_a_named_folder_is_one_with_the_basel_face_model(tmp_path):
    with pytest.raises(AssetMissing, match=r"01_MorphableModel\.mat: not there; get it from"):
        open_reconstructor("landmarks", tmp_path)


@pytest.fixture(scope="module")
def face_nets(request: pytest.FixtureRequest) -> FaceNets:
    home = os.environ.get("TRINORMAL_HOME")
    folder = Path(home) / "assets" if home else Path(request.config.cache.mkdir("face-nets"))
    try:
        fetch_assets(FACE_NETS, folder)
    except AssetFetchError as error:
        pytest.skip(f"no face networks: {error}")
    return load_face_nets(folder)


def test_points_of_a_made_up_face_give_a_face_much_nearer_than_the_mean(fit):
    errors, means = [], []
    for seed in range(6):
        truth = some_coefficients(seed)
        found = face_of(one(fit, as_photo("a.png", detected(truth, 0.3))))
        wanted = FACE.shape(truth.identity, truth.expression)
        errors.append(np.linalg.norm(found.vertices - wanted, axis=1).mean())
        means.append(np.linalg.norm(FACE.template - wanted, axis=1).mean())
    assert np.mean(errors) < 0.6 * np.mean(means)


def test_the_result_is_in_the_models_space_with_its_mesh_and_pose(fit):
    found = face_of(one(fit, as_photo("a.png", detected(some_coefficients(1), 0.0))))
    assert fit.space == "builtin-1/id99/exp29"
    assert found.coefficients is not None
    assert found.coefficients.space == fit.space
    assert_allclose(found.vertices, FACE.shape(found.coefficients.identity, found.coefficients.expression), atol=1e-4)
    assert found.triangles is FACE.triangles
    assert found.coefficients.pose is not None
    assert_allclose(found.coefficients.pose[:2], TRUE_POSE[:2], atol=3)
    assert isinstance(fit, Decoder)
    (again,) = fit.decode([found.coefficients], CPU)
    assert_allclose(again, found.vertices, atol=1e-4)
    with pytest.raises(ConfigurationError, match="never mix"):
        list(fit.decode([replace(found.coefficients, space="basel-2009/id80/exp64")], CPU))


@pytest.mark.parametrize(("zoom", "turn"), [(0.4, 0.0), (7.0, 0.0), (1.0, 25.0), (2.5, -160.0)])
def test_a_larger_smaller_or_turned_photo_gives_the_same_face(fit, zoom, turn):
    points = detected(some_coefficients(2), 0.5)
    plain = face_of(one(fit, as_photo("a.png", points)))
    moved = face_of(one(fit, as_photo("a.png", points, zoom, turn)))
    assert_allclose(moved.vertices, plain.vertices, atol=0.02)


def test_photos_that_show_no_face_fail_one_by_one_with_their_reason(fit):
    good = detected(some_coefficients(3), 0.3)
    rng = np.random.default_rng(0)
    no_landmarks = FacePhoto("none", None, np.zeros((9, 9, 3), np.uint8), as_photo("", good).points)
    spoilt = as_photo("spoilt", good)
    assert spoilt.landmarks is not None
    spoilt.landmarks[7] = np.nan
    photos = [
        as_photo("good", good),
        no_landmarks,
        as_photo("coincident", np.full((468, 2), 80.0)),
        as_photo("flat", good * [1, 0] + [0, 60]),
        as_photo("mirrored", good * [-1, 1] + [SIDE, 0]),
        as_photo("strewn", good + rng.normal(0, 3, good.shape)),
        spoilt,
        as_photo("unaligned", None),
        as_photo("good again", good),
    ]
    outcomes = list(fit.reconstruct(photos, CPU, 3))
    assert [each.path for each in outcomes] == [photo.path for photo in photos]
    failed = {each.path: each.reason for each in outcomes if isinstance(each, Failure)}
    assert set(failed) == {photo.path for photo in photos} - {"good", "good again"}
    assert "no landmarks are known" in failed["none"]
    assert "misfit" in failed["strewn"]
    assert "not finite" in failed["spoilt"]
    assert all(path in reason and "\n" not in reason for path, reason in failed.items())


def test_a_model_with_only_ibugs_points_is_fitted_to_those():
    fit = landmark_fit(load_face(80, 64), KNOWN)
    truth = some_coefficients(4)
    points = on_crop(truth, FACE.landmarks68) + SIDE * KNOWN.sparse.bias
    five = as_photo("", detected(truth, 0.0)).points - 300
    photo = FacePhoto("a.png", None, np.zeros((9, 9, 3), np.uint8), five, landmarks68=points.astype(np.float32))
    found = face_of(one(fit, photo))
    wanted = FACE.shape(truth.identity, truth.expression)
    error, mean = (np.linalg.norm(each - wanted, axis=1).mean() for each in (found.vertices, FACE.template))
    assert error < 0.9 * mean
    assert found.coefficients is not None
    assert found.coefficients.space == "builtin-1/id80/exp64"


def test_photos_of_people_never_seen_give_faces_nearer_than_the_mean(fit, face_nets):
    studio = open_studio()
    photos, taken = [], []
    for index in range(20):
        person = studio.person("heldout", 11, index)
        shot = take_photo(studio, person, person_albedo(studio, person), np.random.default_rng([11, index]), 224)
        photo = Photo(shot.pixels, f"{index}.png")
        photos.append(from_analysis(photo, analyse(photo, *face_nets), photo.path))
        taken.append(shot)
    faces = [face_of(outcome).coefficients for outcome in fit.reconstruct(photos, CPU)]
    known = [each for each in faces if each is not None]
    error = shape_error(
        known, np.stack([each.identity for each in taken]), np.stack([each.expression for each in taken])
    )
    assert error.neutral_mm < 0.95 * error.mean_face_mm


def test_real_photos_give_faces_and_the_same_person_similar_ones(fit, face_nets, real_data):
    photos = []
    for person in range(1, 9):
        for take in (1, 5, 9):
            photo = read_photo(real_data / "orl" / f"s{person}" / f"{take}.pgm")
            photos.append(from_analysis(photo, analyse(photo, *face_nets), photo.path, f"s{person}"))
    found = [face_of(outcome) for outcome in fit.reconstruct(photos, CPU)]
    assert max(np.ptp(each.vertices, axis=0).max() for each in found) < 240
    who = np.repeat(np.arange(8), 3)
    identity = np.stack([each.coefficients.identity for each in found if each.coefficients is not None])
    unit = identity - identity.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    alike = unit @ unit.T
    same, upper = who[:, None] == who, np.triu(np.ones((24, 24), bool), 1)
    wins = alike[same & upper][:, None] > alike[~same & upper][None]
    assert wins.mean() > 0.8, "area under the verification curve"

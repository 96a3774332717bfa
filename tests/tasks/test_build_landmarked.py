"""A shard of R-Net's crops: landmarks and labels are those of the faces that were photographed."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models.faceworld.photos import person_albedo, take_photo
from models.faceworld.studio import open_studio
from models.morphable.builtin import load_face
from models.networks.rnet_layout import RNetLayout
from models.photos.alignment import align_photo, template_points
from models.reconstructors.landmark_error import landmark_error
from models.rendering.camera import rotation_from_angles
from models.types import Photo
from tasks.build_landmarked import build_landmarked
from tasks.build_photos import build_photos

PEOPLE, EACH, PHOTO_PX, CROP_PX, SEED = 3, 4, 112, 64, 5


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    photos, folder = tmp_path_factory.mktemp("photos"), tmp_path_factory.mktemp("landmarked")
    build_photos(photos, "heldout", SEED, 2, PEOPLE, EACH, PHOTO_PX, 15.0, 0.1)
    build_landmarked(folder, CROP_PX, photos)
    return folder


def stored(shard: Path, name: str) -> np.ndarray:
    return np.load(shard / f"{name}.npy")


def test_landmarks_are_where_the_camera_saw_the_vertices_of_the_whole_head(shard: Path):
    studio = open_studio()
    expected = []
    for index in range(2, 2 + PEOPLE):
        person = studio.person("heldout", SEED, index)
        albedo = person_albedo(studio, person)
        for number in range(1, EACH + 1):
            rng = np.random.default_rng([SEED, person.seed, number])
            photo = take_photo(studio, person, albedo, rng, PHOTO_PX, 15.0, 0.1)
            head = studio.vertices(person, photo.expression)[studio.model.head.landmarks68]
            x, y, z = (head @ rotation_from_angles(*photo.pose[:3]).T + photo.pose.translation_mm).T
            middle = (PHOTO_PX - 1) / 2
            seen = np.stack([middle - photo.focal_px * x / z, middle + photo.focal_px * y / z, np.ones(68)])
            to_photo = align_photo(Photo(photo.pixels, "p"), photo.five_points, CROP_PX).to_photo
            expected.append((np.linalg.inv(np.vstack([to_photo, [0, 0, 1]])) @ seen)[:2].T)
    assert stored(shard, "landmarks").dtype == np.float32
    assert_allclose(stored(shard, "landmarks"), expected, atol=0.01)


def test_the_eyes_of_the_landmarks_are_those_the_crop_was_aligned_by(shard: Path):
    eyes = stored(shard, "landmarks")[:, 36:48].reshape(-1, 2, 6, 2).mean(axis=2)
    assert np.abs(eyes - template_points(CROP_PX)[:2]).max() < 4, "a quarter of their distance"
    assert np.abs((eyes - template_points(CROP_PX)[:2]).mean(axis=0)).max() < 1.0


def test_the_face_of_a_label_before_the_crop_camera_shows_the_landmarks_where_they_are(shard: Path):
    """But for the change of perspective that alignment cannot undo, and for what the truncated bases leave out."""
    layout = RNetLayout()
    faces = []
    for label in stored(shard, "labels"):
        outputs = np.zeros(layout.size, np.float32)
        outputs[:144], outputs[224:227], outputs[254:] = label[:144], label[144:147], label[147:]
        faces.append(layout.unpack(outputs, "truth"))
    face = load_face(layout.identity, layout.expression)
    right = landmark_error(face, faces, stored(shard, "landmarks"), CROP_PX)
    assert right.pixels < 0.5
    strangers = landmark_error(face, faces[EACH:] + faces[:EACH], stored(shard, "landmarks"), CROP_PX)
    assert strangers.pixels > 3 * right.pixels


def test_labels_begin_with_the_truth_that_stands_beside_them(shard: Path):
    labels, identity, expression = (stored(shard, name) for name in ("labels", "identity", "expression"))
    assert_array_equal(labels[:, :80], identity[:, :80])
    assert_array_equal(labels[:, 80:144], expression[:, :64])
    assert identity.shape[1] > 80
    assert_array_equal(stored(shard, "subject"), np.repeat(np.arange(3, 3 + PEOPLE), EACH))
    assert stored(shard, "crops").shape == (PEOPLE * EACH, 3, CROP_PX, CROP_PX)
    assert stored(shard, "crops").dtype == np.uint8

"""The whole way on real photographs, where both the photos and the networks are at hand."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from models.errors import AssetMissing, PhotoError
from models.photos.alignment import align_photo, template_points
from models.photos.analysis import FaceNets, PhotoFace, analyse, load_face_nets
from models.photos.decoding import read_photo
from models.photos.litert import LiteNetwork
from models.photos.points import five_points, landmarks68
from models.types import Photo


@pytest.fixture(scope="module")
def photos(real_data: Path) -> list[Photo]:
    """One photo each of the 40 people, a different one from person to person."""
    return [read_photo(real_data / "orl" / f"s{person}" / f"{person % 10 + 1}.pgm") for person in range(1, 41)]


@pytest.fixture(scope="module")
def faces(photos: list[Photo], face_nets: FaceNets) -> list[PhotoFace]:
    return [analyse(photo, *face_nets) for photo in photos]


def test_every_photo_shows_a_face_and_is_sure_of_it(faces: list[PhotoFace]) -> None:
    assert min(face.detection.score for face in faces) > 0.7
    assert min(face.presence for face in faces) > 0.99


def test_landmarks_fill_the_detected_box(faces: list[PhotoFace]) -> None:
    for face in faces:
        low, high = face.detection.box.reshape(2, 2)
        middle, size = (low + high) / 2, high - low
        # the detector's box ends at the brows: the mesh's forehead may stand over it by a third
        assert (np.abs(face.landmarks[:, :2] - middle) < 0.85 * size).all()
        assert (np.ptp(face.landmarks[:, :2], axis=0) > 0.7 * size).all()


def test_landmarks_agree_with_the_detectors_own_key_points(faces: list[PhotoFace]) -> None:
    for face in faces:
        eye_distance = np.hypot(*(face.points[1] - face.points[0]))
        apart = np.hypot(*(face.points[:3] - face.detection.keypoints[:3]).T) / eye_distance
        assert apart.max() < 0.3


def test_aligned_faces_are_level_and_lie_on_the_template(photos: list[Photo], faces: list[PhotoFace]) -> None:
    crops = []
    for photo, face in zip(photos, faces, strict=True):
        aligned = align_photo(photo, face.points, 224)
        inverse = cv2.invertAffineTransform(aligned.to_photo)
        placed = face.points @ inverse[:, :2].T + inverse[:, 2]
        across = placed[1] - placed[0]
        assert abs(np.degrees(np.arctan2(across[1], across[0]))) < 6
        assert np.hypot(*(placed - template_points(224)).T).mean() < 12
        mesh = face.landmarks[:, :2] @ inverse[:, :2].T + inverse[:, 2]
        assert mesh.min() >= 0
        assert mesh.max() <= 223
        crops.append(placed)
    assert_allclose(np.mean(crops, axis=0), template_points(224), atol=6)


def test_a_mirrored_photo_gives_mirrored_points_without_a_shift(photos, faces, face_nets: FaceNets) -> None:
    apart = []
    for photo, face in zip(photos, faces, strict=True):
        mirrored = analyse(Photo(np.ascontiguousarray(photo.pixels[:, ::-1]), "mirrored"), *face_nets)
        back = mirrored.points[[1, 0, 2, 4, 3]] * [-1, 1] + [photo.pixels.shape[1] - 1, 0]
        apart.append((back - face.points) / np.hypot(*(face.points[1] - face.points[0])))
    assert np.abs(apart).mean() < 0.03
    # pixel edges taken for centres would shift it by a whole pixel: .03 eye distances
    assert abs(np.mean(apart, axis=(0, 1))[0]) < 0.01


def test_points_turn_and_grow_with_the_photo(photos, faces, face_nets: FaceNets) -> None:
    for photo, face in list(zip(photos, faces, strict=True))[::8]:
        moved = cv2.getRotationMatrix2D((46, 56), 35, 2.5) + np.array([[0, 0, 100], [0, 0, 80]])
        turned = cv2.warpAffine(photo.pixels, moved, (400, 400), borderMode=cv2.BORDER_REPLICATE)
        found = analyse(Photo(np.asarray(turned, np.uint8), "turned"), *face_nets).points
        expected = face.points @ moved[:, :2].T + moved[:, 2]
        assert np.hypot(*(found - expected).T).max() < 0.15 * np.hypot(*(expected[1] - expected[0]))


def test_the_68_points_mirror_into_each_other_and_keep_their_order(faces: list[PhotoFace]) -> None:
    shapes = []
    for face in faces:
        inverse = cv2.invertAffineTransform(
            align_photo(Photo(np.zeros((9, 9, 3), np.uint8), ""), face.points, 2).to_photo
        )
        shapes.append(landmarks68(face.landmarks) @ inverse[:, :2].T + inverse[:, 2])
    mean = np.mean(shapes, axis=0)
    swapped = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
    swapped += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    swapped += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    assert_allclose(mean[swapped] * [-1, 1] + [1, 0], mean, atol=0.03)
    jaw, bridge = mean[:17], mean[27:31]
    assert (np.diff(jaw[:, 0]) > 0).all()
    assert jaw[:, 1].argmax() == 8
    assert_allclose(np.diff(bridge[:, 1]), np.ptp(bridge[:, 1]) / 3, rtol=0.15)
    assert (np.diff(mean[17:27, 0]) > 0).all()


def test_small_off_centre_and_tightly_cut_faces_are_found(photos, face_nets: FaceNets) -> None:
    large = np.full((900, 1300, 3), 120, np.uint8)
    large[700:812, 1100:1192] = photos[0].pixels
    face = analyse(Photo(large, "large"), *face_nets)
    assert_allclose(face.points.mean(axis=0), [1146, 770], atol=20)
    tight = np.ascontiguousarray(photos[1].pixels[20:-20, 15:-15])
    assert analyse(Photo(tight, "tight"), *face_nets).presence > 0.9


def test_of_two_faces_the_larger_and_more_central_is_taken(photos, face_nets: FaceNets) -> None:
    both = np.full((300, 400, 3), 120, np.uint8)
    both[60:284, 130:314] = cv2.resize(photos[2].pixels, (184, 224))
    both[5:117, 5:97] = photos[3].pixels
    assert_allclose(analyse(Photo(both, "both"), *face_nets).points.mean(axis=0), [222, 190], atol=30)


def faceless() -> dict[str, np.ndarray]:
    blob = np.full((224, 224, 3), 30, np.uint8)
    cv2.ellipse(blob, (112, 112), (70, 95), 0, 0, 360, (170, 170, 170), -1)
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    return {
        "blob": cv2.GaussianBlur(blob, (0, 0), 6),
        "noise": noise,
        "clouds": cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 10), None, 0, 255, cv2.NORM_MINMAX),
        "black": np.zeros((50, 60, 3), np.uint8),
        "one pixel": np.zeros((1, 1, 3), np.uint8),
        "a line": np.zeros((1, 3000, 3), np.uint8),
    }


@pytest.mark.parametrize("what", faceless())
def test_what_is_no_face_is_a_photo_error_with_its_path(what: str, face_nets: FaceNets) -> None:
    with pytest.raises(PhotoError, match=r"^nobody\.png: no face found"):
        analyse(Photo(np.asarray(faceless()[what], np.uint8), "nobody.png"), *face_nets)


def test_absent_and_wrong_networks_are_named(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match=r"face_detection_short_range\.tflite"):
        load_face_nets(tmp_path)
    for content in (None, b"", b"not a network" * 100):
        if content is not None:
            (tmp_path / "net.tflite").write_bytes(content)
        with pytest.raises(AssetMissing, match=r"trinormal setup"):
            LiteNetwork(tmp_path / "net.tflite")


def test_five_points_are_lid_means_nose_and_mouth_corners() -> None:
    mesh = np.zeros((468, 3), np.float32)
    mesh[[33, 133], :2] = 16
    mesh[[263, 362], :2] = 32
    mesh[[1, 61, 291]] = np.arange(9).reshape(3, 3)
    assert_allclose(five_points(mesh), [[2, 2], [4, 4], [0, 1], [3, 4], [6, 7]])

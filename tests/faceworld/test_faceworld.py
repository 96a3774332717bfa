"""Photos and scans of made-up people."""

import numpy as np
from numpy.testing import assert_allclose

from models.faceworld.expressions import NEUTRAL, act
from models.faceworld.photos import person_albedo, place, take_photo
from models.faceworld.relief import skin_relief
from models.faceworld.scanner import ScannerModel, scan_head
from models.faceworld.studio import open_studio
from models.rendering.camera import PerspectiveCamera, project

STUDIO = open_studio()
PERSON = STUDIO.person("benchmark", 1, 0)
PERFECT = ScannerModel(
    relief_mm=0.0,
    noise_mm=0.0,
    ripple_mm=0.0,
    quantum_mm=1e-4,
    spike_rate=0.0,
    holes_per_scan=0.0,
    lost_side_rate=0.0,
    pose_spread_deg=0.0,
    size_spread=0.0,
)


def photo(seed: int, size: int = 96):
    return take_photo(STUDIO, PERSON, person_albedo(STUDIO, PERSON), np.random.default_rng(seed), size, occlusion=0.0)


def test_a_photo_is_the_same_again_for_the_same_seed():
    first, second = photo(4), photo(4)
    assert_allclose(first.pixels, second.pixels)
    assert np.abs(first.pixels.astype(int) - photo(5).pixels).max() > 20


def test_the_five_points_are_where_the_pose_and_camera_put_them():
    made = photo(6)
    vertices = STUDIO.model.head.shape(made.identity, made.expression)
    camera = PerspectiveCamera(made.focal_px, ((96 - 1) / 2, (96 - 1) / 2))
    # the fine mesh smooths the coarse vertices a little: compare to within its size on screen
    expected = STUDIO.model.five_points.locate(project(place(vertices, made.pose), camera)[:, :2])
    assert np.abs(expected - made.five_points).max() < 1.0
    left, right, nose, *mouth = made.five_points
    assert left[0] < right[0]
    assert nose[1] < min(corner[1] for corner in mouth) + 5


def test_a_face_is_brighter_than_nothing_and_not_burnt_out():
    means = [photo(seed).pixels.mean() for seed in range(6)]
    assert 20 < np.mean(means) < 230


def test_neutral_is_nearly_no_movement_and_intensity_grows():
    prototypes = STUDIO.model.prototype_expressions
    sizes = [
        np.linalg.norm(act(prototypes, PERSON, "SU", level, np.random.default_rng(level), accent=0.0))
        for level in (1, 2, 3, 4)
    ]
    assert (np.diff(sizes) > 0).all()
    assert np.linalg.norm(act(prototypes, PERSON, NEUTRAL, 0, np.random.default_rng(0), accent=0.0)) == 0


def test_relief_belongs_to_the_person_and_has_the_asked_size():
    first = skin_relief(STUDIO.template, 5, 0.3)
    assert_allclose(first, skin_relief(STUDIO.template, 5, 0.3))
    assert np.corrcoef(first, skin_relief(STUDIO.template, 6, 0.3))[0, 1] < 0.5
    spread = np.mean([skin_relief(STUDIO.template, seed, 0.3).std() for seed in range(40)])
    assert_allclose(spread, 0.3, rtol=0.15)


def test_a_perfect_scanner_samples_the_true_surface():
    neutral = np.zeros(72, dtype=np.float32)
    scan = scan_head(STUDIO, PERSON, neutral, PERFECT, np.random.default_rng(0))
    marks = np.array(list(scan.landmarks.values()))
    shift = marks - STUDIO.vertices(PERSON, neutral)[STUDIO.model.head.landmarks68]
    assert_allclose(shift, shift[:1].repeat(68, axis=0), atol=1e-3)
    truth = STUDIO.vertices(PERSON, neutral) + shift[0]
    nose = np.linalg.norm(scan.vertices - marks[30], axis=1).min()
    assert nose < PERFECT.spacing_mm
    front = scan.vertices[np.abs(scan.vertices - marks[30]).max(axis=1) < 25]
    gaps = np.linalg.norm(front[:, None] - truth[None], axis=-1).min(axis=1)
    corners = truth[STUDIO.triangles[(np.abs(truth[STUDIO.triangles] - marks[30]).max(axis=(1, 2)) < 30)]]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1).max()
    assert gaps.max() < longest, "no point of a triangle is farther from all its corners than its longest side"
    assert gaps.mean() < 1.0


def test_scanner_faults_are_there_and_noise_grows_with_its_setting():
    neutral = np.zeros(72, dtype=np.float32)

    def roughness(noise_mm: float) -> float:
        scan = scan_head(STUDIO, PERSON, neutral, PERFECT._replace(noise_mm=noise_mm), np.random.default_rng(1))
        edges = scan.vertices[scan.triangles[:, 0]] - scan.vertices[scan.triangles[:, 1]]
        return float(np.abs(edges[:, 2]).mean())

    assert roughness(1.0) > roughness(0.0) + 0.5
    whole = scan_head(STUDIO, PERSON, neutral, PERFECT, np.random.default_rng(2))
    holed = scan_head(STUDIO, PERSON, neutral, PERFECT._replace(holes_per_scan=60.0), np.random.default_rng(2))
    assert len(holed.vertices) < 0.95 * len(whole.vertices)


def test_scans_have_no_loose_or_broken_triangles():
    scan = scan_head(STUDIO, PERSON, np.zeros(72, dtype=np.float32), ScannerModel(), np.random.default_rng(3))
    assert np.isfinite(scan.vertices).all()
    assert scan.triangles.min() >= 0
    assert scan.triangles.max() < len(scan.vertices)
    corners = scan.vertices[scan.triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2]
    assert (facing > 0).mean() > 0.99, "triangles are counter-clockwise seen from the scanner"

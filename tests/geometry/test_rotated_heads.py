"""Real heads however they are turned: the nose is found and the face comes upright, by the makers' own landmarks."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from models.geometry.canonical import canonical_range_image
from models.geometry.cleaning import Cleaning
from models.geometry.template import builtin_template
from models.morphable.builtin import load_head
from models.rendering.camera import rotation_from_angles
from models.types import Scan

NOSE_MM, SAME_DEG, MARKED_DEG = 10.0, 3.0, 10.0


@pytest.fixture(scope="module")
def five_marks(real_data):
    """Eye centres, nose tip and mouth corners as the makers of the scans marked them, image-left first."""
    folder = real_data / "scans"
    marked = np.array(
        json.loads((folder / "james.ljson").read_text())["groups"]["LJSON"]["landmarks"]["points"], dtype=float
    )
    eyes = sorted((marked[17:23].mean(axis=0), marked[23:29].mean(axis=0)), key=lambda eye: eye[0])
    corners = sorted((marked[48], marked[54]), key=lambda corner: corner[0])
    return {
        "james": np.array([*eyes, marked[37], *corners]),
        "demo": np.loadtxt(folder / "DemoFaceLandmarks.csv", delimiter=","),
    }


def angle_deg(one, two):
    return float(np.degrees(Rotation.from_matrix(one @ two.T).magnitude()))


def marked_pose(marks):
    """The rotation of a head by its five landmarks alone, without its surface."""
    model = load_head()
    upright = model.five_points.locate(model.head.template).astype(float)
    return Rotation.align_vectors(marks - marks.mean(axis=0), upright - upright.mean(axis=0))[0].as_matrix()


def turns(most_deg, count, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        axis = rng.normal(size=3)
        yield Rotation.from_rotvec(np.radians(rng.uniform(0, most_deg)) * axis / np.linalg.norm(axis)).as_matrix()


def cleaned_pose(scan, rotation, shift, grid, cleaning=None):
    turned = Scan((scan.vertices @ rotation.T + shift).astype(np.float32), scan.triangles)
    report = canonical_range_image(turned, builtin_template(), grid, cleaning=cleaning or Cleaning())[1]
    return report, rotation_from_angles(*report.pose[:3])


def table(heads, five_marks, grid, name, most_deg, count):
    """Per rotation: how far it turns, error of the nose tip (mm), of the pose against the resting scan's (deg), and
    against the landmarks' (deg)."""
    head, marks = heads[name], five_marks[name]
    resting = cleaned_pose(head.scan, np.eye(3), np.zeros(3), grid)[1]
    by_marks = marked_pose(marks)
    rows = []
    for number, rotation in enumerate(turns(most_deg, count, seed=4)):
        shift = np.random.default_rng(number).normal(0, 100, 3)
        report, found = cleaned_pose(head.scan, rotation, shift, grid)
        tip_mm = np.linalg.norm(np.array(report.nose_tip) - (rotation @ head.nose_tip + shift))
        rows.append(
            (
                angle_deg(rotation, np.eye(3)),
                float(tip_mm),
                angle_deg(found, rotation @ resting),
                angle_deg(found, rotation @ by_marks),
            )
        )
    return np.array(rows)


def show(name, rows):
    print(f"\n{name}: turned (deg), nose tip (mm), pose to resting (deg), pose to landmarks (deg)")
    for row in rows:
        print("  " + "  ".join(f"{value:7.2f}" for value in row))


def judged(rows):
    assert rows[:, 1].max() < NOSE_MM
    assert rows[:, 2].max() < SAME_DEG
    assert rows[:, 3].max() < MARKED_DEG


@pytest.mark.parametrize("name", ["james", "demo"])
def test_a_head_turned_by_up_to_30_degrees_comes_upright_with_its_nose(heads, five_marks, grid, name):
    judged(table(heads, five_marks, grid, name, 30, 4))


@pytest.mark.parametrize("name", ["james", "demo"])
def test_a_head_that_stands_on_its_crown_is_turned_about(heads, five_marks, grid, name):
    head, rotation = heads[name], rotation_from_angles(0.0, 0.0, 180.0)
    upright = rotation @ marked_pose(five_marks[name])
    report, found = cleaned_pose(head.scan, rotation, np.zeros(3), grid)
    assert report.orientations_tried > 1
    assert np.linalg.norm(np.array(report.nose_tip) - rotation @ head.nose_tip) < NOSE_MM
    assert angle_deg(found, upright) < MARKED_DEG
    given, as_given = cleaned_pose(head.scan, rotation, np.zeros(3), grid, Cleaning(any_orientation=False))
    assert given.orientations_tried == 1
    assert angle_deg(as_given, upright) > 90


@pytest.mark.campaign
@pytest.mark.parametrize("most_deg", [30, 180])
@pytest.mark.parametrize("name", ["james", "demo"])
def test_twenty_random_rotations_of_each_head(heads, five_marks, grid, name, most_deg):
    rows = table(heads, five_marks, grid, name, most_deg, 20)
    show(f"{name}, up to {most_deg} degrees", rows)
    judged(rows)

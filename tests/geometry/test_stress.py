"""Scans made harder: what is kept really is seen, and as much is hidden as was asked for."""

import numpy as np
import pytest
from scipy.spatial import KDTree

from models.errors import ConfigurationError
from models.geometry.components import largest_component
from models.geometry.stress import Stress, hide, stressed, turn
from models.rendering.camera import rotation_from_angles
from models.types import Scan


def dome(side: int = 41, radius: float = 60.0) -> Scan:
    """A bulge over a square of 100 mm: x and y of a lattice, z of a ball."""
    x, y = np.meshgrid(np.linspace(-50, 50, side), np.linspace(50, -50, side))
    z = np.sqrt(np.maximum(radius**2 - x**2 - y**2, 0))
    index = np.arange(side * side).reshape(side, side)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    points = np.stack([x, y, z], -1).reshape(-1, 3)
    return Scan(points.astype(np.float32), triangles.astype(np.int32))


def hit_first(scan: Scan, x: float, y: float) -> float:
    """The largest z of the surface over a point, triangle by triangle."""
    corners = scan.vertices[scan.triangles].astype(np.float64)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        u = ((b[:, 0] - x) * (c[:, 1] - y) - (b[:, 1] - y) * (c[:, 0] - x)) / area
        v = ((c[:, 0] - x) * (a[:, 1] - y) - (c[:, 1] - y) * (a[:, 0] - x)) / area
    w = 1 - u - v
    inside = (u >= 0) & (v >= 0) & (w >= 0)
    return float((u * a[:, 2] + v * b[:, 2] + w * c[:, 2])[inside].max(initial=-np.inf))


def away_from(whole: Scan, part: Scan) -> float:
    """How far the farthest vertex of a part is from the nearest of the whole, mm."""
    return float(KDTree(whole.vertices).query(part.vertices)[0].max())


def test_a_scan_turned_by_nothing_keeps_its_shape():
    scan = dome()
    same = turn(scan, 0.0)
    assert away_from(scan, same) < 1e-3
    assert len(same.vertices) > 0.75 * len(scan.vertices)  # the rim falls away too steeply


@pytest.mark.parametrize("yaw", [-60.0, 35.0, 80.0])
def test_what_is_left_of_a_turned_scan_lies_on_it_and_nothing_stands_before_it(yaw: float):
    scan = dome()
    left = turn(scan, yaw)
    middle = scan.vertices.mean(axis=0)
    whole = Scan(
        ((scan.vertices - middle) @ rotation_from_angles(0.0, yaw, 0.0).T + middle).astype(np.float32), scan.triangles
    )
    assert away_from(whole, left) < 1e-3
    centres = left.vertices[left.triangles].mean(axis=1)[::7]
    behind = [hit_first(whole, x, y) > z + 1.5 for x, y, z in centres.tolist()]
    assert np.mean(behind) < 0.03  # triangles of 2.5 mm on the outline are seen in part


def test_the_more_a_scan_is_turned_the_less_of_it_is_left():
    left = [len(turn(dome(), yaw).triangles) for yaw in (0.0, 30.0, 60.0, 85.0)]
    assert left == sorted(left, reverse=True)
    assert left[-1] < 0.8 * left[0]


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_an_object_hides_the_share_asked_for_and_hangs_together_with_nothing(share: float):
    scan = dome()
    covered = hide(scan, share, np.random.default_rng(3))
    before = {tuple(point) for point in np.round(scan.vertices, 3).tolist()}
    moved = [point for point in np.round(covered.vertices, 3).tolist() if tuple(point) not in before]
    assert len(moved) / len(scan.vertices) == pytest.approx(share, abs=0.04)
    assert len({point[2] for point in moved}) == 1
    piece = largest_component(covered)
    assert piece.pieces >= 2
    assert {tuple(point) for point in np.round(piece.scan.vertices, 3).tolist()} <= before


def test_stress_is_the_same_for_the_same_numbers_and_refuses_nonsense():
    first, again = (stressed(dome(), Stress(30.0, 0.2), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.vertices, again.vertices)
    for wrong in (Stress(yaw_deg=91), Stress(yaw_deg=-1), Stress(hidden=1.0), Stress(hidden=-0.1)):
        with pytest.raises(ConfigurationError, match="turn by 0 to 90"):
            stressed(dome(), wrong, np.random.default_rng(0))

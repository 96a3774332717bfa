"""Every step of cleaning obeys its numbers and says what it did."""

import numpy as np
import pytest

from models.errors import ScanError
from models.geometry.canonical import canonical_range_image
from models.geometry.cleaning import REPORT_COLUMNS, Cleaning
from models.types import Scan
from tests.geometry.analytic_surfaces import generic_face


def cleaned(template, grid, scan=None, **numbers):
    return canonical_range_image(scan or generic_face(2.0), template, grid, cleaning=Cleaning(**numbers))


def spiky(face, count=12):
    vertices = face.vertices.copy()
    near = np.flatnonzero(np.hypot(*vertices[:, :2].T) < 50)
    vertices[np.random.default_rng(0).choice(near, count, replace=False), 2] += 30
    return Scan(vertices, face.triangles)


def test_the_report_counts_what_went_in_and_what_came_out(template, grid):
    face = generic_face(2.0)
    image, report = cleaned(template, grid, face)
    assert report.vertices == len(face.vertices)
    kept = report.vertices - report.removed_vertices - report.cropped_vertices
    about_the_tip = np.linalg.norm(face.vertices - np.array(report.nose_tip), axis=1) < 90
    assert kept == pytest.approx(about_the_tip.sum(), rel=0.1), "the crop's middle is near the tip"
    assert report.cells == image.valid.sum()
    assert report.masked_cells > 0
    assert report.tip_found
    assert report.icp_converged
    assert report.orientations_tried == 1


def test_a_stricter_limit_takes_more_spikes_and_fewer_cells_fill_fewer_holes(template, grid):
    scan = spiky(generic_face(2.0))
    spikes = [cleaned(template, grid, scan, spike_mm=limit)[1].spikes for limit in (1000.0, 6.0, 3.0)]
    assert spikes[0] == 0 < spikes[1] <= spikes[2]
    none = cleaned(template, grid, scan, largest_hole_cells=0)[1]
    assert none.hole_cells == 0
    assert none.holes_left_open >= cleaned(template, grid, scan)[1].holes_left_open


def test_numbers_of_the_registration_are_obeyed(template, grid):
    assert cleaned(template, grid, icp_steps=2)[1].icp_steps <= 2
    with pytest.raises(ScanError, match=r"more than 0\.001"):
        cleaned(template, grid, spiky(generic_face(2.0)), worst_rmse_mm=0.001)
    with pytest.raises(ScanError, match="too few"):
        cleaned(template, grid, fewest_vertices=100_000)
    with pytest.raises(ScanError, match="expected 60 to 100 mm"):
        cleaned(template, grid, largest_mm=100.0)


def test_the_tip_falls_back_to_the_templates_where_no_summit_is_within_reach(template, grid):
    report = cleaned(template, grid, tip_reach_mm=0.01)[1]
    assert not report.tip_found
    assert report.tip_shift_mm == 0
    assert "where the template has it" in report.told()["nose tip"]


def test_a_report_is_a_row_and_a_few_words_a_step(template, grid):
    report = cleaned(template, grid)[1]
    row = dict(zip(REPORT_COLUMNS, report.as_row(), strict=True))
    assert float(row["icp_rmse_mm"]) == pytest.approx(report.icp_rmse_mm, abs=1e-3)
    assert float(row["yaw_deg"]) == pytest.approx(report.pose.yaw_deg, abs=1e-3)
    assert float(row["tip_z_mm"]) == pytest.approx(report.nose_tip[2], abs=1e-3)
    assert row["icp_converged"] == "1"
    steps = ("largest piece", "nose", "crop", "ICP", "nose tip", "pose", "spikes", "holes", "mask")
    assert tuple(report.told()) == steps

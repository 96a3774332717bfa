import numpy as np
import pytest
import trimesh
from numpy.testing import assert_allclose

from models.errors import ScanError
from models.geometry.components import keep_vertices, largest_component
from models.geometry.cropping import crop_sphere
from models.geometry.holes import fill_holes
from models.geometry.range_image import Grid
from models.geometry.spikes import remove_spikes
from models.types import RangeImage, Scan
from tests.geometry.analytic_surfaces import sampled

GRID = Grid(40, 40, 1.6)


def steep(x, y):
    return 20 - 1.5 * np.abs(x) - y * y / 100


def scan_of(mesh, colours=None):
    return Scan(mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32), colours)


def test_spikes_go_and_nothing_else_does():
    image = sampled(steep, GRID)
    points, wild = image.points.copy(), np.zeros((40, 40), bool)
    wild[5, 7] = wild[20, 20] = wild[39, 0] = wild[11, 30] = wild[11, 31] = True
    points[wild, 2] += np.array([25, -30, 40, 18, 18], np.float32)
    cleaned = remove_spikes(RangeImage(points, image.valid))
    assert cleaned.removed == 5
    assert (cleaned.image.valid == ~wild).all()
    assert (cleaned.image.points[~wild] == points[~wild]).all()
    assert (cleaned.image.points[wild] == 0).all()


def test_a_cliff_is_not_a_spike():
    image = sampled(lambda x, y: np.where(x > 0, 30.0, 0.0 * y), GRID)
    assert remove_spikes(image).removed == 0


def test_a_lonely_cell_is_a_spike():
    valid = np.zeros((40, 40), bool)
    valid[3, 3] = True
    valid[20:30, 20:30] = True
    image = sampled(steep, GRID)
    assert remove_spikes(RangeImage(image.points * valid[..., None], valid)).removed == 1


def test_a_hole_in_a_plane_is_filled_with_the_plane():
    image = sampled(lambda x, y: 5 + 0.5 * x - 0.3 * y, GRID)
    hole = np.zeros((40, 40), bool)
    hole[10:18, 12:25] = hole[30, 30] = True
    filled = fill_holes(RangeImage(image.points * ~hole[..., None], ~hole))
    assert (filled.holes, filled.cells, filled.left_open) == (2, 105, 0)
    assert filled.image.valid.all()
    assert_allclose(filled.image.points, image.points, atol=0.02)


def test_large_holes_and_the_background_stay_open():
    image = sampled(steep, GRID)
    valid = image.valid.copy()
    valid[:, :6] = False
    valid[10:30, 15:36] = False
    valid[3, 20] = False
    filled = fill_holes(RangeImage(image.points * valid[..., None], valid), largest_cells=400)
    assert (filled.holes, filled.cells, filled.left_open) == (1, 1, 1)
    assert not filled.image.valid[:, :6].any()
    assert not filled.image.valid[10:30, 15:36].any()
    assert (filled.image.points[valid] == image.points[valid]).all()


def test_an_image_without_holes_comes_back_as_it_is():
    image = sampled(steep, GRID)
    assert fill_holes(image).image is image


def test_the_largest_piece_stays_with_its_colours_and_shape():
    small, large = trimesh.creation.icosphere(1, 5), trimesh.creation.icosphere(3, 50)
    small.apply_translation([200, 0, 0])
    both = trimesh.util.concatenate([small, large])
    colours = np.arange(3 * len(both.vertices)).reshape(-1, 3).astype(np.uint8)
    found = largest_component(scan_of(both, colours))
    assert (found.pieces, found.removed_vertices) == (2, len(small.vertices))
    assert_allclose(found.scan.vertices, large.vertices, atol=1e-5)
    assert (found.scan.triangles == large.faces).all()
    assert (found.scan.colours == colours[len(small.vertices) :]).all()


def test_a_point_cloud_has_no_component():
    with pytest.raises(ScanError, match="no triangles"):
        largest_component(Scan(np.zeros((5, 3), np.float32), np.zeros((0, 3), np.int32)))


def test_a_crop_keeps_exactly_the_triangles_inside_the_ball():
    ball = scan_of(trimesh.creation.icosphere(3, 50))
    centre = np.array([50.0, 0.0, 0.0])
    cropped = crop_sphere(ball, centre, 30.0)
    assert np.linalg.norm(cropped.vertices - centre, axis=1).max() <= 30
    inside = (np.linalg.norm(ball.vertices[ball.triangles] - centre, axis=2) <= 30).all(axis=1)
    assert_allclose(cropped.vertices[cropped.triangles], ball.vertices[ball.triangles[inside]])


def test_keeping_no_vertex_gives_an_empty_mesh():
    ball = scan_of(trimesh.creation.icosphere(1, 50))
    empty = keep_vertices(ball, np.zeros(len(ball.vertices), bool))
    assert (len(empty.vertices), len(empty.triangles)) == (0, 0)

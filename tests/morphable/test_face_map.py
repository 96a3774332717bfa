import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from models.morphable.builtin import load_face
from models.morphable.face_map import largest_piece, map_places
from models.morphable.mirror import mirror_partners
from models.rendering.rasteriser import rasterise

FACE = load_face()
PLACES = map_places(FACE.template)


def test_on_a_sphere_places_are_as_far_from_the_middle_as_the_arc_is_long():
    rng = np.random.default_rng(0)
    angle, turn = rng.uniform(0, 1.2, 500), rng.uniform(0, 2 * np.pi, 500)
    angle[:4], turn[:4] = 1.2, [0, np.pi / 2, np.pi, 3 * np.pi / 2]
    around = np.stack([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)], axis=1)
    places = map_places((80 * around + [0, 7, -75]).astype(np.float32))
    reach = np.linalg.norm(places, axis=1)
    assert_allclose(reach, angle * reach[0] / 1.2, atol=2e-4)
    assert_allclose(np.arctan2(-places[:, 1], places[:, 0]) % (2 * np.pi), turn, atol=3e-3)


def test_the_map_is_filled_and_nothing_falls_off_it():
    assert np.abs(PLACES).max() < 1
    assert PLACES.max(axis=0).min() > 0.9
    assert PLACES.min(axis=0).max() < -0.9


def test_mirrored_vertices_have_mirrored_places():
    partners = mirror_partners(FACE.template)
    assert np.abs(PLACES[partners] * (-1, 1) - PLACES).mean() < 2e-3


def test_hardly_any_skin_that_is_seen_from_the_front_is_folded_over():
    corners = PLACES[FACE.triangles]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    upright = -(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) > 0
    skin = largest_piece(FACE.triangles, len(FACE.template))[FACE.triangles].min(axis=1) > 0
    pixels = np.stack([FACE.template[:, 0] + 80, 110 - FACE.template[:, 1], FACE.template[:, 2]], axis=1)
    seen = rasterise(pixels.astype(np.float32), FACE.triangles, 190, 160).triangle
    seen = seen[(seen >= 0) & skin[seen]]
    assert len(seen) > 10_000
    assert upright[seen].mean() > 0.995


def test_the_skin_is_the_largest_piece_and_the_eyeballs_are_not_of_it():
    skin = largest_piece(FACE.triangles, len(FACE.template))
    assert skin[FACE.nose_tip] == 1
    assert 0 < (skin == 0).sum() < 0.2 * len(skin)
    assert FACE.masks["iris"][skin == 0].max() > 0.5


def test_pieces_are_told_apart_by_the_number_of_their_vertices():
    triangles = np.array([[0, 1, 2], [3, 4, 5], [4, 5, 6]], dtype=np.int32)
    assert_array_equal(largest_piece(triangles, 7), [0, 0, 0, 1, 1, 1, 1])

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from models.morphable.builtin import load_face
from models.morphable.mirror import mirror_partners, mirrored

FACE = load_face()
PARTNERS = mirror_partners(FACE.template)


@pytest.mark.parametrize("subdivisions", [0, 1])
def test_partners_lie_on_the_other_side_of_the_face(subdivisions):
    face = load_face(subdivisions=subdivisions)
    partners = mirror_partners(face.template)
    gap = np.linalg.norm(face.template[partners] * (-1, 1, 1) - face.template, axis=1)
    alone = partners == np.arange(len(partners))
    assert np.percentile(gap[~alone], 99) < 0.3
    assert gap[~alone].max() < 2.0
    off_the_middle = alone & (np.abs(face.template[:, 0]) > 0.5)
    assert off_the_middle.sum() < 10, "only a few vertices at the rim have nobody on the other side"


def test_the_partner_of_a_partner_is_the_vertex_itself():
    assert_array_equal(PARTNERS[PARTNERS], np.arange(len(PARTNERS)))


def test_triangles_of_the_mirrored_mesh_are_triangles_of_the_mesh():
    known = {tuple(sorted(triangle)) for triangle in FACE.triangles.tolist()}
    other = [tuple(sorted(triangle)) for triangle in PARTNERS[FACE.triangles].tolist()]
    assert np.mean([triangle in known for triangle in other]) > 0.99


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_mirroring_twice_changes_nothing(seed):
    moves = np.random.default_rng(seed).normal(size=(2, len(PARTNERS), 3)).astype(np.float32)
    assert_array_equal(mirrored(mirrored(moves, PARTNERS), PARTNERS), moves)


def test_a_smile_on_the_left_becomes_one_on_the_right():
    left = np.where(FACE.template[:, :1] > 20, np.float32([1, 2, 3]), np.float32(0))
    right = mirrored(left, PARTNERS)
    moved = np.abs(right).sum(axis=1) > 0
    assert FACE.template[moved, 0].max() < -19
    assert_array_equal(np.unique(right[moved], axis=0), [[-1, 2, 3]])

"""Moves of one half of the face."""

import numpy as np
import pytest

from models.faceworld.action_units import BORDER_MM, PURE, REACH_MM, action_unit
from models.faceworld.studio import open_studio

STUDIO = open_studio()
ONE, OTHER = (STUDIO.person("benchmark", 3, index) for index in (0, 1))


def displacement(coefficients):
    return np.linalg.norm(np.tensordot(coefficients, STUDIO.model.head.expression_basis, axes=1), axis=1)


@pytest.mark.parametrize(("half", "name"), [("lower", "12"), ("lower", "27"), ("upper", "1"), ("upper", "43")])
def test_a_unit_moves_its_half_as_far_as_it_should_and_the_other_less(half, name):
    moved = displacement(action_unit(half, name, ONE))[STUDIO.model.face]
    height = STUDIO.model.head.template[STUDIO.model.face, 1]
    own = height < 0 if half == "lower" else height > BORDER_MM
    low, high = REACH_MM[half]
    assert 0.7 * low < moved.max() < 1.25 * high
    assert (moved[own] ** 2).sum() > PURE * (moved**2).sum()


def test_a_unit_is_one_move_that_everybody_makes_in_a_way_of_ones_own():
    same, again, others = (action_unit("lower", "12", who) for who in (ONE, ONE, OTHER))
    another = action_unit("lower", "26", ONE)
    assert np.array_equal(same, again)
    assert not np.array_equal(same, others)

    def alike(a, b):
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    assert alike(same, others) > 0.7
    assert alike(same, another) < 0.95

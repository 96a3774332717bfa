import numpy as np
import pytest
from numpy.testing import assert_allclose

from models.errors import ConfigurationError
from models.morphable.builtin import load_face, load_head
from models.morphable.mirror import mirror_partners, mirrored
from models.morphable.style_space import fit_part, fit_style_space

FACE = load_face(160, 72, subdivisions=0)
PARTNERS = mirror_partners(FACE.template)
BANK = load_head()


def faces(count, seed=0):
    rng = np.random.default_rng(seed)
    neutral = FACE.template + np.tensordot(BANK.bank_identity[seed : seed + count], FACE.identity_basis, axes=1)
    acted = BANK.prototype_expressions.reshape(24, -1)[rng.integers(24, size=count)]
    accents = (0.1 * rng.normal(size=acted.shape)).astype(np.float32)
    return neutral, neutral + np.tensordot(acted + accents, FACE.expression_basis, axes=1)


NEUTRAL, EXPRESSIVE = faces(60)
SPACE = fit_style_space(FACE.template, PARTNERS, NEUTRAL, EXPRESSIVE, 30, 12)


def test_the_components_are_those_of_the_faces_and_their_mirror_images_together():
    moves = NEUTRAL - FACE.template
    both = np.concatenate([moves, mirrored(moves, PARTNERS)]).reshape(120, -1)
    oracle = np.linalg.svd(both, full_matrices=False)[1] / np.sqrt(120)
    lengths = np.linalg.norm(SPACE.identity.directions.reshape(30, -1), axis=1)
    assert_allclose(lengths, oracle[:30], rtol=1e-3)


def test_directions_are_orthogonal():
    flat = SPACE.identity.directions.reshape(30, -1).astype(np.float64)
    lengths = np.linalg.norm(flat, axis=1)
    assert_allclose(flat @ flat.T / np.outer(lengths, lengths), np.eye(30), atol=1e-3)


def test_numbers_have_unit_mean_square_over_faces_and_mirror_images():
    moves = NEUTRAL - FACE.template
    codes = SPACE.identity.codes(np.concatenate([moves, mirrored(moves, PARTNERS)]))
    assert_allclose((codes**2).mean(axis=0), 1, rtol=1e-2)


def test_mirroring_a_face_changes_only_signs_of_its_code():
    neutral, expressive = faces(8, seed=500)
    codes = SPACE.codes(neutral, expressive)
    other = SPACE.codes(*(FACE.template + mirrored(face - FACE.template, PARTNERS) for face in (neutral, expressive)))
    assert_allclose(other, codes * SPACE.signs, atol=1e-3)
    assert set(SPACE.signs) == {1.0, -1.0}


def test_a_neutral_face_has_no_expression_and_the_template_no_code_at_all():
    neutral, _ = faces(3, seed=700)
    assert_allclose(SPACE.codes(neutral, neutral)[:, 30:], 0, atol=1e-4)
    assert_allclose(SPACE.codes(FACE.template[None], FACE.template[None]), 0)


def test_with_every_component_a_face_comes_back_whole():
    moves = faces(10)[0] - FACE.template
    part = fit_part(moves, PARTNERS, 20, "identity")
    again = np.tensordot(part.codes(moves), part.directions, axes=1)
    assert_allclose(again, moves, atol=2e-2)


def test_more_components_than_the_faces_span_are_refused():
    with pytest.raises(ConfigurationError, match="draw more"):
        fit_part(NEUTRAL[:5] - FACE.template, PARTNERS, 11, "identity")


def test_importance_is_how_far_one_unit_moves_the_surface():
    unit = np.tensordot(np.eye(12, dtype=np.float32)[[0, 7]], SPACE.expression.directions, axes=1)
    slow = np.sqrt(np.square(np.linalg.norm(unit, axis=2)).mean(axis=1))
    assert_allclose(SPACE.importance[[30, 37]], slow, rtol=1e-4)


def test_vertices_beyond_the_first_are_not_looked_at():
    more = np.concatenate([NEUTRAL[:2], np.full((2, 7, 3), 1e6, dtype=np.float32)], axis=1)
    assert_allclose(SPACE.codes(more, more), SPACE.codes(NEUTRAL[:2], NEUTRAL[:2]))

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models.faceworld.expressions import act
from models.faceworld.relief import skin_relief
from models.faceworld.studio import open_studio
from models.faceworld.true_faces import TrueFaces, draw_faces
from models.rendering.mesh_normals import vertex_normals

STUDIO = open_studio()


def test_the_same_faces_are_drawn_whenever_asked_and_in_whatever_portions():
    whole = draw_faces(STUDIO, "reconstruction", 5, 0, 4, 3)
    assert len(whole) == 12
    for column, part in zip(whole, draw_faces(STUDIO, "reconstruction", 5, 2, 2, 3), strict=True):
        assert_array_equal(column[6:], part)
    assert not np.array_equal(whole.expression, draw_faces(STUDIO, "reconstruction", 6, 0, 4, 3).expression)


def test_the_faces_of_one_person_share_identity_relief_and_attributes_but_not_expression():
    drawn = draw_faces(STUDIO, "heldout", 1, 3, 1, 5)
    for shared in (drawn.identity, drawn.relief_seeds, drawn.attributes):
        assert (shared == shared[0]).all()
    assert len(np.unique(drawn.expression, axis=0)) == 5


def test_intensities_say_which_prototypes_an_expression_is_made_of():
    drawn = draw_faces(STUDIO, "reconstruction", 2, 0, 200, 1)
    full = STUDIO.model.prototype_expressions[:, 3]
    blends = drawn.intensities @ full
    cosine = (blends * drawn.expression).sum(1) / np.linalg.norm(drawn.expression, axis=1)
    expressive = drawn.intensities.sum(1) >= 0.5
    assert np.median(cosine[expressive] / np.linalg.norm(blends[expressive], axis=1)) > 0.85
    neutral = ~drawn.intensities.any(axis=1)
    assert 0.08 < neutral.mean() < 0.22
    assert np.linalg.norm(drawn.expression[neutral], axis=1).max() < np.linalg.norm(full, axis=1).min() / 2
    assert ((drawn.intensities > 0).sum(axis=1) == 2).any()


def test_surfaces_are_those_of_the_scanned_head():
    person = STUDIO.person("heldout", 0, 1)
    expression = act(STUDIO.model.prototype_expressions, person, "HA", 3, np.random.default_rng(0))
    true = TrueFaces(0.25, subdivisions=0)
    made = true.surfaces(person.identity[None], expression[None], np.array([person.seed], dtype=np.int64))
    head = STUDIO.model.head.shape(person.identity, expression)[STUDIO.model.face]
    relief = skin_relief(true.face.template, person.seed, 0.25)
    assert_allclose(made.expressive[0], head + vertex_normals(head, true.face.triangles) * relief[:, None], atol=1e-3)
    still = STUDIO.model.head.shape(person.identity, np.zeros(72, dtype=np.float32))[STUDIO.model.face]
    assert np.linalg.norm(made.neutral[0] - still, axis=1).std() > 0.05, "the skin's relief is on the neutral face too"


def test_without_relief_surfaces_are_the_linear_model():
    drawn = draw_faces(STUDIO, "heldout", 0, 0, 2, 1)
    true = TrueFaces(0.0)
    made = true.surfaces(drawn.identity, drawn.expression, drawn.relief_seeds)
    for row in range(2):
        assert_allclose(made.expressive[row], true.face.shape(drawn.identity[row], drawn.expression[row]), atol=1e-3)


@pytest.mark.parametrize("relief_mm", [0.0, 0.3])
def test_turned_faces_are_mirror_images(relief_mm):
    drawn = draw_faces(STUDIO, "heldout", 0, 0, 2, 1)
    true = TrueFaces(relief_mm, subdivisions=0)
    plain = true.surfaces(drawn.identity, drawn.expression, drawn.relief_seeds)
    mixed = true.surfaces(drawn.identity, drawn.expression, drawn.relief_seeds, np.array([False, True]))
    assert_array_equal(mixed.expressive[0], plain.expressive[0])
    gap = mixed.expressive[1] - plain.expressive[1][true.partners] * np.float32([-1, 1, 1])
    assert np.linalg.norm(gap, axis=1).mean() < 0.1, "but for the template's own asymmetry"

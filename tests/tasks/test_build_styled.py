"""Style space and faces with codes: the same in whatever portions, and what they say is true."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models.errors import DataError
from models.faceworld.studio import open_studio
from models.faceworld.true_faces import TrueFaces, draw_faces
from models.morphable.builtin import load_face
from tasks.build_styled import (
    build_style_space,
    build_styled_faces,
    load_style_space,
    load_styled_faces,
    photo_codes,
    photographed,
    prototype_codes,
)

RELIEF_MM = 0.3


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space")
    build_style_space(folder, seed=4, faces=60, identity=20, expression=10, relief_mm=RELIEF_MM)
    return folder


def faces(folder: Path, space: Path, first: int, count: int, split: str = "reconstruction") -> Path:
    folder.mkdir()
    build_styled_faces(folder, split, seed=4, first=first, count=count, relief_mm=RELIEF_MM, space=space)
    return folder


def test_the_space_is_that_of_the_faces_it_was_fitted_on(space: Path):
    style, drawn = load_style_space(space), draw_faces(open_studio(), "reconstruction", 4, 0, 60, 1)
    assert (style.identity.directions.shape[0], style.expression.directions.shape[0]) == (20, 10)
    true = TrueFaces(RELIEF_MM)
    made = true.surfaces(drawn.identity, drawn.expression, drawn.relief_seeds)
    codes = style.codes(made.neutral, made.expressive)
    turned = true.surfaces(drawn.identity, drawn.expression, drawn.relief_seeds, np.ones(60, dtype=bool))
    both = np.concatenate([codes, style.codes(turned.neutral, turned.expressive)])
    assert_allclose((both**2).mean(axis=0), 1, rtol=0.02)


def test_faces_are_the_same_in_whatever_portions(space: Path, tmp_path: Path):
    whole = load_styled_faces([faces(tmp_path / "whole", space, 0, 7)])
    parts = load_styled_faces([faces(tmp_path / "a", space, 0, 4), faces(tmp_path / "b", space, 4, 3)])
    assert_allclose(parts.codes, whole.codes, atol=1e-4)
    for one, other in zip(parts.drawn, whole.drawn, strict=True):
        assert_array_equal(one, other)


def test_other_people_have_other_codes_of_the_same_kind(space: Path, tmp_path: Path):
    known = load_styled_faces([faces(tmp_path / "known", space, 0, 20)])
    unseen = load_styled_faces([faces(tmp_path / "unseen", space, 0, 20, "heldout")])
    assert not np.isin(unseen.drawn.relief_seeds, known.drawn.relief_seeds).any()
    assert 0.3 < (unseen.codes**2).mean() < 3


def test_photos_have_the_codes_of_their_faces_without_relief(space: Path):
    style, drawn = load_style_space(space), draw_faces(open_studio(), "heldout", 4, 0, 5, 1)
    made = TrueFaces(0.0).surfaces(drawn.identity, drawn.expression, drawn.relief_seeds)
    slow = style.codes(made.neutral, made.expressive)
    assert_allclose(photo_codes(style, drawn.identity, drawn.expression), slow, atol=1e-3)


def test_prototype_codes_are_the_expressions_at_their_strongest(space: Path):
    style, face = load_style_space(space), load_face(160, 72)
    codes = prototype_codes(style)
    assert codes.shape == (6, 10)
    happy = np.tensordot(open_studio().model.prototype_expressions[3, 3], face.expression_basis, axes=1)
    seen = happy[: len(style.template)]
    held = np.tensordot(codes[3], style.expression.directions, axes=1)
    assert np.linalg.norm(held - seen) < 0.5 * np.linalg.norm(seen), "ten numbers hold most of it"


def test_the_people_in_photos_are_found_again_with_their_relief():
    studio, numbers = open_studio(), np.array([3, 1, 3], dtype=np.int64)
    people = [studio.person("heldout", 4, int(number) - 1) for number in numbers]
    identity, expression = np.stack([person.identity for person in people]), np.zeros((3, 72), dtype=np.float32)
    found = photographed("heldout", 4, numbers, identity, expression)
    assert_array_equal(found.relief_seeds, [person.seed for person in people])
    assert_array_equal(found.attributes, [person.attributes for person in people])
    for wrong in (("heldout", 5), ("reconstruction", 4)):
        with pytest.raises(DataError, match=f"not of the {wrong[0]} people of seed {wrong[1]}"):
            photographed(*wrong, numbers, identity, expression)

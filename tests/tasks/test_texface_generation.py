"""More faces of the person in a photo: as many as asked, the same person, and the same each time."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from models.errors import AssetMissing, ConfigurationError
from models.morphable.descriptions import draw_intensities
from models.reconstructors.texface import TexFace
from models.reconstructors.texface_generation import generate_expressions
from models.types import Coefficients, Pose
from tasks.texface_generation import BLOCK, generated_codes, generated_faces
from tests.reconstructors.small_texface import EXPRESSION, IDENTITY, small_texface

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model() -> TexFace:
    return small_texface()


def people(model: TexFace, count: int) -> list[Coefficients]:
    rng = np.random.default_rng(0)
    numbers = [
        (rng.normal(size=IDENTITY).astype(np.float32), rng.normal(size=EXPRESSION).astype(np.float32))
        for _ in range(count)
    ]
    return [
        Coefficients(model.space, who, how, pose=Pose(0.0, 1.0 * place, 0.0, (0.0, 0.0, -1000.0)))
        for place, (who, how) in enumerate(numbers)
    ]


def test_each_photo_gives_k_faces_of_the_same_person_with_other_expressions(model: TexFace):
    given = people(model, 3)
    made = list(generated_codes(model, given, 4, 7, CPU))
    assert len(made) == 12
    for place, each in enumerate(made):
        source = given[place // 4]
        assert_array_equal(each.identity, source.identity)
        assert each.pose == source.pose
        assert np.abs(each.expression - source.expression).max() > 1e-3
    assert len({each.expression.tobytes() for each in made}) == 12


def test_the_seed_alone_decides(model: TexFace):
    given = people(model, 2)
    first, again, other = (
        np.stack([each.expression for each in generated_codes(model, given, 3, seed, CPU)]) for seed in (1, 1, 2)
    )
    assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_faces_in_blocks_are_those_generated_at_once(model: TexFace):
    given, rng = people(model, BLOCK + 3), np.random.default_rng(5)
    asked = draw_intensities(rng, len(given)).reshape(len(given), 1, 6)
    at_once = [row[0].expression for row in generate_expressions(model, given, asked, rng, CPU)]
    in_blocks = [each.expression for each in generated_codes(model, given, 1, 5, CPU)]
    assert_allclose(in_blocks, at_once, atol=1e-4)


def test_the_faces_are_the_surfaces_of_the_codes(model: TexFace):
    given = people(model, 2)
    surfaces = list(generated_faces(model, given, 2, 3, CPU))
    expected = list(model.vertices(list(generated_codes(model, given, 2, 3, CPU)), CPU))
    assert len(surfaces) == 4
    assert_allclose(surfaces, expected, atol=1e-4)


def test_codes_of_another_model_and_a_model_without_diffusion_are_refused(model: TexFace):
    strange = [replace(each, space="builtin-1/id99/exp29") for each in people(model, 1)]
    with pytest.raises(ConfigurationError, match="never mix"):
        list(generated_faces(model, strange, 1, 0, CPU))
    with pytest.raises(AssetMissing, match="train it with the denoiser"):
        list(generated_faces(replace(model, denoiser=None), people(model, 1), 1, 0, CPU))

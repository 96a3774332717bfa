"""The linear model, its subdivision, the built-in face, and the people drawn from it."""

from itertools import pairwise

import numpy as np
import pytest
import torch
import trimesh
from numpy.testing import assert_allclose

from models.errors import ConfigurationError
from models.morphable.builtin import EXPRESSIONS, load_face, load_head, provenance
from models.morphable.linear import LinearFace
from models.morphable.population import SHARES, draw_person
from models.morphable.subdivision import loop_subdivision


def grid(rows: int = 6, columns: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A flat regular triangulation."""
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    triangles = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)
    return np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1), triangles


def test_loop_subdivision_weights_sum_to_one_so_it_moves_with_the_mesh():
    _, triangles = grid()
    fine = loop_subdivision(triangles, 30)
    assert_allclose(fine.weights.sum(axis=1), 1, atol=1e-6)
    assert len(fine.triangles) == 4 * len(triangles)


def test_loop_subdivision_keeps_a_regular_plane_a_regular_plane():
    vertices, triangles = grid()
    fine = loop_subdivision(triangles, len(vertices))
    moved = fine.weights @ vertices
    inner = [row * 5 + column for row in range(1, 5) for column in range(1, 4)]
    assert_allclose(moved[inner], vertices[inner], atol=1e-6)
    assert_allclose(moved[:, 2], 0)


def test_loop_subdivision_agrees_with_trimesh_on_new_vertices_of_a_closed_surface():
    ball = trimesh.creation.icosphere(2)
    fine = loop_subdivision(ball.faces.astype(np.int32), len(ball.vertices))
    ours = (fine.weights @ ball.vertices.astype(np.float32))[len(ball.vertices) :]
    theirs, _ = trimesh.remesh.subdivide_loop(ball.vertices, ball.faces, 1)
    gaps = np.linalg.norm(ours[:, None] - theirs[None], axis=-1).min(axis=1)
    assert gaps.max() < 1e-6


def test_subdivided_triangles_keep_their_orientation():
    vertices, triangles = grid()
    fine = loop_subdivision(triangles, len(vertices))
    corners = (fine.weights @ vertices)[fine.triangles]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2]
    before = vertices[triangles]
    sign = np.sign(np.cross(before[:, 1] - before[:, 0], before[:, 2] - before[:, 0])[:, 2])
    assert (np.sign(areas) == sign[0]).all()


def test_the_linear_face_equals_the_sum_of_template_and_bases():
    face = load_face(5, 3, subdivisions=0)
    rng = np.random.default_rng(0)
    identity, expression = rng.normal(size=5).astype(np.float32), rng.normal(size=3).astype(np.float32)
    slow = face.template.astype(np.float64).copy()
    for weight, component in [
        *zip(identity, face.identity_basis, strict=True),
        *zip(expression, face.expression_basis, strict=True),
    ]:
        slow += float(weight) * component
    batched = LinearFace(face)(torch.tensor(identity)[None], torch.tensor(expression)[None])[0]
    assert_allclose(batched.numpy(), slow, atol=2e-4)
    assert_allclose(face.shape(identity, expression), slow, atol=2e-4)


def test_the_linear_face_has_exact_gradients():
    linear = LinearFace(load_face(4, 2, subdivisions=0)).double()
    inputs = [
        torch.randn(2, 4, dtype=torch.double, requires_grad=True),
        torch.randn(2, 2, dtype=torch.double, requires_grad=True),
    ]
    assert torch.autograd.gradcheck(lambda a, b: linear(a, b).square().sum(), inputs)


def test_asking_for_more_components_than_there_are_is_refused():
    with pytest.raises(ConfigurationError, match="160 identity"):
        load_face(500, 29)


@pytest.mark.parametrize(("identity", "expression"), [(99, 29), (80, 64)])
def test_the_papers_truncations_are_there(identity, expression):
    face = load_face(identity, expression)
    assert face.identity_basis.shape[0] == identity
    assert face.expression_basis.shape[0] == expression
    assert face.texture_basis is not None
    assert face.texture_basis.shape[0] == 80
    assert f"id{identity}/exp{expression}" in face.space


def test_the_built_in_head_is_a_face_in_the_camera_frame():
    head = load_head().head
    eyes = head.template[head.landmarks68[[36, 45]]]
    assert eyes[0, 0] < 0 < eyes[1, 0], "image-left eye first"
    nose, chin = head.template[head.nose_tip], head.template[head.landmarks68[8]]
    assert np.linalg.norm(nose) < 2.0, "the origin is the nose tip"
    assert chin[1] < -40
    assert eyes[:, 1].min() > 10
    assert nose[2] > eyes[:, 2].max()


def test_stored_coefficients_are_standardised_and_keep_their_meaning():
    whole = load_head()
    assert_allclose(whole.bank_identity.std(axis=0), 1, atol=0.05)
    design = np.c_[whole.bank_identity, np.ones(len(whole.bank_identity))].astype(np.float64)
    sex = whole.bank_attributes[:, 0].astype(np.float64)
    weights = np.linalg.lstsq(design[:3000], sex[:3000], rcond=None)[0]
    residual = sex[3000:] - design[3000:] @ weights
    assert 1 - residual.var() / sex[3000:].var() > 0.9, "sex can be read from the coefficients: rows are people"


def test_prototype_expressions_grow_with_their_intensity():
    whole = load_head()
    for code in range(len(EXPRESSIONS)):
        moved = np.tensordot(whole.prototype_expressions[code], whole.head.expression_basis[:, whole.face], axes=1)
        size = np.linalg.norm(moved, axis=-1).mean(axis=1)
        assert (np.diff(size) > 0).all()
        assert 0.5 < size[-1] < 6


def test_the_asset_says_where_it_comes_from():
    assert provenance()["licence_assets"] == "CC0-1.0"


def test_people_are_the_same_again_for_the_same_seed_and_differ_otherwise():
    whole = load_head()
    draw = [
        draw_person(whole.bank_identity, whole.bank_attributes, "benchmark", seed, index)
        for seed, index in [(1, 0), (1, 0), (1, 1), (2, 0)]
    ]
    assert_allclose(draw[0].identity, draw[1].identity)
    assert np.abs(draw[0].identity - draw[2].identity).max() > 0.1
    assert np.abs(draw[0].identity - draw[3].identity).max() > 0.1


def test_splits_share_no_bank_member():
    edges = sorted(SHARES.values())
    assert all(first[1] <= second[0] for first, second in pairwise(edges))


def test_drawn_people_spread_like_the_bank():
    whole = load_head()
    people = [draw_person(whole.bank_identity, whole.bank_attributes, "recognition", 3, index) for index in range(400)]
    spread = np.std([person.identity[:40] for person in people], axis=0)
    assert_allclose(spread.mean(), whole.bank_identity[:, :40].std(axis=0).mean(), rtol=0.1)

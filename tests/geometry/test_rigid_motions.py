import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from models.errors import ScanError
from models.geometry.alignment import Similarity, icp, kabsch, procrustes, small_rotation
from models.geometry.template import template_from
from models.rendering.camera import rotation_from_angles
from tests.geometry.analytic_surfaces import generic_face

seeds = st.integers(0, 2**32 - 1)


@given(seeds)
def test_kabsch_recovers_any_rotation(seed):
    rng = np.random.default_rng(seed)
    truth, cloud = Rotation.random(random_state=seed).as_matrix(), rng.normal(size=(7, 3))
    assert_allclose(kabsch(cloud, cloud @ truth.T), truth, atol=1e-9)


def test_kabsch_never_mirrors():
    cloud = np.random.default_rng(0).normal(size=(9, 3))
    assert np.linalg.det(kabsch(cloud, cloud * [-1, 1, 1])) == pytest.approx(1)


@given(seeds, st.floats(0.2, 5.0))
def test_procrustes_recovers_rotation_place_and_size(seed, scale):
    rng = np.random.default_rng(seed)
    truth, shift, cloud = Rotation.random(random_state=seed).as_matrix(), rng.normal(size=3), rng.normal(size=(8, 3))
    found = procrustes(cloud, scale * cloud @ truth.T + shift, with_scale=True)
    assert_allclose(found.rotation, truth, atol=1e-8)
    assert_allclose(found.translation, shift, atol=1e-8)
    assert found.scale == pytest.approx(scale)
    assert procrustes(cloud, scale * cloud @ truth.T + shift).scale == 1


def test_one_motion_after_another_is_both():
    rng = np.random.default_rng(2)
    first, second = (Similarity(Rotation.random(random_state=k).as_matrix(), rng.normal(size=3), 1.5) for k in (1, 2))
    points = rng.normal(size=(6, 3))
    assert_allclose(second.after(first).apply(points), second.apply(first.apply(points)))


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_a_rotation_vector_becomes_its_rotation(vector):
    assert_allclose(small_rotation(np.array(vector)), Rotation.from_rotvec(vector).as_matrix(), atol=1e-9)


@settings(deadline=None, max_examples=10)
@given(st.floats(-12, 12), st.floats(-12, 12), st.floats(-12, 12))
def test_icp_brings_a_displaced_face_home(pitch, yaw, roll):
    template = template_from(generic_face())
    other = generic_face(2.3).vertices.astype(np.float64)
    moved = other @ rotation_from_angles(pitch, yaw, roll).T + [4.0, -5.0, 3.0]
    found = icp(moved, template.points, template.normals)
    assert found.converged
    assert np.linalg.norm(found.motion.apply(moved) - other, axis=1).max() < 0.6
    assert found.rmse_mm < 0.2


def test_icp_refuses_what_does_not_lie_over_the_template(template):
    with pytest.raises(ScanError, match="over the template"):
        icp(template.points + np.float32(500), template.points, template.normals)

"""Mesh error by region: against plain loops over vertices."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from models.errors import DataError
from models.metrics.regional_error import REGION_MASKS, draw_regions, regional_error
from models.morphable.builtin import load_face

FACE = load_face(subdivisions=0)
REGIONS = draw_regions(FACE.masks)


def test_the_built_in_face_has_every_region_where_it_belongs():
    assert set(REGIONS) == set(REGION_MASKS)
    middle = {region: FACE.template[inside].mean(axis=0) for region, inside in REGIONS.items()}
    assert middle["forehead"][1] > middle["eyes"][1] > middle["nose"][1] > middle["mouth"][1] > middle["jaw"][1]
    assert middle["nose"][2] == max(place[2] for place in middle.values())


def test_an_error_is_found_in_its_region_and_nowhere_else():
    moved = FACE.template.copy()
    moved[REGIONS["nose"]] += np.float32([0, 3, 4])
    means = regional_error([(moved, FACE.template)], REGIONS, align=False).means_mm()
    overlap = {region: float((inside & REGIONS["nose"]).sum() / inside.sum()) for region, inside in REGIONS.items()}
    for region, inside in overlap.items():
        assert means[region] == pytest.approx(5 * inside, abs=1e-4)
    assert means["face"] == pytest.approx(5 * REGIONS["nose"].mean(), rel=1e-4)


def test_every_face_has_its_own_error():
    rng = np.random.default_rng(0)
    pairs = [
        (FACE.template + rng.normal(0, size, FACE.template.shape).astype(np.float32), FACE.template)
        for size in (0.1, 0.5, 2.0)
    ]
    found = regional_error(iter(pairs), REGIONS, align=False)
    for region, inside in REGIONS.items():
        slow = [
            sum(float(np.linalg.norm(one[place] - two[place])) for place in np.flatnonzero(inside)) / inside.sum()
            for one, two in pairs
        ]
        assert_allclose(found.per_face_mm[region], slow, rtol=1e-5)
        assert found.means_mm()[region] == pytest.approx(float(np.mean(slow)), rel=1e-5)


def test_a_rigid_motion_is_no_error_of_any_region_once_aligned():
    turned = Rotation.from_euler("xyz", [10, -20, 5], degrees=True).apply(FACE.template) + np.array([30, -10, 500])
    found = regional_error([(turned.astype(np.float32), FACE.template)], REGIONS).means_mm()
    assert max(found.values()) < 1e-3


def test_no_faces_and_no_masks_are_refused():
    with pytest.raises(DataError, match="no faces"):
        regional_error([], REGIONS)
    with pytest.raises(DataError, match="belongs to the nose"):
        draw_regions({"cheeks": FACE.masks["cheeks"]})
    with pytest.raises(DataError, match="belongs to the mouth"):
        draw_regions(FACE.masks | {"lips": np.zeros_like(FACE.masks["lips"])})

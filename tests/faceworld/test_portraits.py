"""Portraits: everybody sits before the same camera, and nobody in two data sets."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from models.faceworld.cast import FIRST, cast_people, cast_women_and_men
from models.faceworld.photos import place
from models.faceworld.portraits import HEAD_MIDDLE_MM, Framing, camera_centre, seat, set_up, take_portrait
from models.faceworld.studio import open_studio
from models.rendering.camera import PerspectiveCamera, project

STUDIO = open_studio()
FRAMING = Framing(90, 120, face=0.55, nose=0.53)
NEUTRAL = np.zeros(72, dtype=np.float32)
SITTER = seat(STUDIO, STUDIO.person("benchmark", 2, 0), dressed_alike=True)


def portrait(yaw_deg: float, seed: int = 0, session_seed: int = 0):
    session = set_up(np.random.default_rng(session_seed), wall=0.6)
    return take_portrait(STUDIO, SITTER, NEUTRAL, yaw_deg, session, FRAMING, np.random.default_rng(seed))


@pytest.mark.parametrize("yaw_deg", [-90.0, -45.0, 0.0, 45.0, 90.0])
def test_the_head_is_turned_as_asked_and_stays_in_the_middle(yaw_deg):
    made = portrait(yaw_deg)
    assert made.pixels.shape == (120, 90, 3)
    assert abs(made.pose.yaw_deg - yaw_deg) < 6
    middle = place(HEAD_MIDDLE_MM[None].astype(np.float32), made.pose)
    seen = project(middle, PerspectiveCamera(made.focal_px, camera_centre(FRAMING)))[0]
    assert_allclose(seen[:2], (44.5, 0.53 * 120), atol=6)


def test_a_positive_yaw_turns_the_nose_to_the_right_of_the_picture():
    for yaw_deg in (45.0, 90.0):
        left, right = portrait(-yaw_deg).five_points, portrait(yaw_deg).five_points
        eyes_left, eyes_right = left[:2, 0].mean(), right[:2, 0].mean()
        assert left[2, 0] < eyes_left
        assert right[2, 0] > eyes_right


def test_hidden_points_are_where_they_lie_behind_the_picture():
    made = portrait(90.0)
    vertices = STUDIO.model.head.shape(made.identity, made.expression)
    camera = PerspectiveCamera(made.focal_px, camera_centre(FRAMING))
    expected = STUDIO.model.five_points.locate(project(place(vertices, made.pose), camera)[:, :2])
    assert np.abs(expected - made.five_points).max() < 1.0
    assert abs(made.five_points[0, 0] - made.five_points[1, 0]) < 4, "in profile one eye is behind the other"


def test_sessions_differ_in_light_and_camera_and_a_session_is_the_same_for_all():
    one, two, other = portrait(0.0, seed=1), portrait(0.0, seed=2), portrait(0.0, seed=1, session_seed=1)
    wall = np.s_[2:8, 2:8]
    assert abs(one.pixels[wall].mean() - two.pixels[wall].mean()) < 12
    assert one.focal_px == two.focal_px != other.focal_px
    assert not np.array_equal(one.pixels, other.pixels)


def test_a_cast_has_the_women_and_men_asked_for_and_shares_nobody_with_another():
    people = cast_women_and_men(STUDIO, "kdef", 1, women=5, men=3)
    assert sum(person.is_female for person in people) == 5
    assert len(people) == 8
    seeds = [person.seed for name in FIRST for person in cast_people(STUDIO, name, 1, 40)]
    assert len(set(seeds)) == len(seeds)
    assert [p.seed for p in cast_people(STUDIO, "bu3dfe", 1, 3)] == [
        STUDIO.person("benchmark", 1, index).seed for index in range(3)
    ]


def test_blocks_of_the_population_cannot_meet():
    firsts = sorted(FIRST.values())
    assert min(np.diff(firsts)) >= 5_000, "the largest data set has 466 people"

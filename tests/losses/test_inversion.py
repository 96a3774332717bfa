import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from models.losses.inversion import InversionLoss, Views
from models.losses.style_metric import StyleMetric

SIGNS = np.float32([1, -1, 1, -1])
GRAM = torch.diag(torch.tensor([4.0, 3.0, 2.0, 1.0]))
POSE_WEIGHTS = (4.0, 4.0, 4.0, 1.0, 1.0, 0.02)


@pytest.fixture
def loss():
    return InversionLoss(StyleMetric(GRAM), 2, SIGNS, POSE_WEIGHTS, consistency=1.0)


def views(subjects=(0, 0, 1), takes=(0, 1, 2)):
    generator = torch.Generator().manual_seed(0)
    codes, poses = torch.randn(3, 4, generator=generator), torch.randn(3, 6, generator=generator)
    return Views(codes, poses, torch.tensor(subjects), torch.tensor(takes))


def test_the_second_half_is_the_first_seen_in_a_mirror(loss):
    both = loss.with_mirror_images(views())
    assert_allclose(both.codes[3:], views().codes.numpy() * SIGNS)
    assert_allclose(both.poses[3:], views().poses.numpy() * [1, -1, -1, -1, 1, 1])
    assert both.subjects.tolist() == [0, 0, 1, 0, 0, 1]
    assert both.takes.tolist() == [0, 1, 2, 0, 1, 2]


def test_the_truth_about_one_person_seen_twice_costs_nothing(loss):
    seen = views()
    seen.codes[1, :2] = seen.codes[0, :2]
    both = loss.with_mirror_images(seen)
    assert_allclose(loss(both.codes, both.poses, both), 0, atol=1e-6)


def test_errors_of_code_and_pose_are_weighted_and_added():
    loss = InversionLoss(StyleMetric(GRAM), 2, SIGNS, POSE_WEIGHTS, consistency=0.0)
    both = loss.with_mirror_images(views())
    generator = torch.Generator().manual_seed(1)
    off, turned = torch.randn(6, 4, generator=generator), torch.randn(6, 6, generator=generator)
    expected = np.mean((off.numpy() ** 2) @ [4, 3, 2, 1]) + np.mean((turned.numpy() ** 2) @ POSE_WEIGHTS)
    assert_allclose(loss(both.codes + off, both.poses + turned, both), expected, rtol=1e-4)


def test_disagreement_with_the_mirror_image_costs_though_both_be_wrong_alike(loss):
    both = loss.with_mirror_images(views(subjects=(0, 1, 2)))
    shared = torch.tensor([0.3, -0.2, 0.1, 0.5])
    agreeing = torch.cat([shared.expand(3, 4), (shared * torch.from_numpy(SIGNS)).expand(3, 4)])
    assert_allclose(loss.disagreement(agreeing, both), 0, atol=1e-9)
    apart = agreeing.clone()
    apart[0, 2] += 1.0
    # one of two views a take is 1 off: both are .5 from their mean; 2 of the 6 rows, weight 2
    assert_allclose(loss.disagreement(apart, both), 2 * 2 * 0.25 / 6, rtol=1e-5)


def test_photos_of_a_person_share_the_identity_and_photos_of_a_take_the_expression_too(loss):
    who, how = torch.zeros(3, 4), torch.zeros(3, 4)
    who[0, 0], how[0, 2] = 1.0, 1.0

    def cost(codes, takes):
        both = loss.with_mirror_images(views(subjects=(7, 7, 8), takes=takes))
        return float(loss.disagreement(torch.cat([codes, codes * torch.from_numpy(SIGNS)]), both))

    assert cost(who, (0, 1, 2)) > 0
    assert cost(how, (0, 1, 2)) == 0
    assert cost(how, (0, 0, 2)) > 0
    assert cost(torch.roll(who, 2, 0), (0, 1, 2)) == 0, "the third photo shows another person"

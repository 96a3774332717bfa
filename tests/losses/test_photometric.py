import numpy as np
import torch
from numpy.testing import assert_allclose

from models.losses.photometric import Photometric
from models.losses.skin_colour import skin_probability

SKIN_COLOUR, BLUE = (205.5, 149.5, 121.5), (21.5, 61.5, 201.5)


def case(seed=0, count=2, side=5):
    """Photos of skin with a blue part, noisy reconstructions, and which pixels are covered."""
    rng = np.random.default_rng(seed)
    blue = rng.random((count, side, side)) < 0.3
    photos = np.where(blue[:, None], np.array(BLUE)[:, None, None], np.array(SKIN_COLOUR)[:, None, None]) / 255
    rendered = photos + rng.normal(0, 0.1, photos.shape)
    return rendered, photos, rng.random((count, side, side)) < 0.7


def slow_loss(rendered, photos, covered):
    losses = []
    for mine, photo, face in zip(rendered, photos, covered, strict=True):
        above = below = 0.0
        for row, column in zip(*np.nonzero(face), strict=True):
            chance = skin_probability(photo[:, row, column][None] * 255)[0]
            attention = 1.0 if chance > 0.5 else chance
            above += attention * np.sqrt(sum((mine[:, row, column] - photo[:, row, column]) ** 2))
            below += attention
        losses.append(above / below)
    return np.mean(losses)


def test_it_is_the_papers_weighted_mean_of_colour_distances():
    rendered, photos, covered = case()
    found = Photometric()(*(torch.tensor(values) for values in (rendered, photos, covered)))
    assert_allclose(found.item(), slow_loss(rendered, photos, covered), rtol=1e-5)


def test_what_is_not_skin_hardly_counts():
    rendered, photos, covered = (torch.tensor(values) for values in case())
    blue = (photos[:, 2] > photos[:, 0])[:, None]
    before = Photometric()(rendered, photos, covered)
    after = Photometric()(torch.where(blue, rendered + 0.5, rendered), photos, covered)
    assert (after - before).abs() < 0.01 * before
    assert Photometric()(torch.where(blue, rendered, rendered + 0.5), photos, covered) > 2 * before


def test_pixels_outside_the_face_do_not_count_and_an_uncovered_photo_gives_nothing():
    rendered, photos, covered = (torch.tensor(values) for values in case())
    elsewhere = torch.where(covered[:, None], rendered, 9.0)
    assert torch.equal(Photometric()(elsewhere, photos, covered), Photometric()(rendered, photos, covered))
    assert Photometric()(rendered, photos, torch.zeros_like(covered)).item() == 0


def test_gradients_agree_with_finite_differences_and_are_zero_for_a_perfect_picture():
    rendered, photos, covered = (torch.tensor(values) for values in case())
    leaf = rendered.clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda values: Photometric()(values, photos, covered), (leaf,), atol=1e-6)
    perfect = photos.clone().requires_grad_(True)
    Photometric()(perfect, photos, covered).backward()
    assert not perfect.grad.any()

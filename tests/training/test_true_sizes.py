"""One real step at the papers' sizes, on CUDA where there is one; see paper A, sections 2.1, 2.2 and 3.2."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from models.losses import heads, objectives
from models.networks.expnet import CoefficientLayout, build_expnet
from models.networks.preprocessing import scale_pixels, use_channels_last
from models.networks.sphere20 import Sphere20
from models.training.device import pick_device
from models.training.recipe import Recipe, build_optimiser

pytestmark = pytest.mark.slow
DEVICE = pick_device("auto")
VGGFACE2_SUBJECTS = 9131


def losses_of_two_steps(modules: nn.Module, loss: Callable[[], Tensor], learning_rate: float) -> tuple[float, float]:
    """Loss before and after one optimiser step; every parameter must get a finite gradient that is not all zero."""
    recipe = Recipe(1, 1, learning_rate, weight_decay=5e-4, seed=0, optimiser="sgd")
    optimiser = build_optimiser(modules, recipe)
    before = loss()
    before.backward()
    for name, parameter in modules.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
    optimiser.step()
    with torch.no_grad():
        return before.item(), loss().item()


@pytest.mark.parametrize("head_name", ["cross_entropy", "lmcl"])
@pytest.mark.parametrize(("channels", "batch_norm"), [(3, False), (1, True)])
def test_full_width_sphere20_learns_at_112_pixels_with_all_subjects_of_vggface2(head_name, channels, batch_norm):
    torch.manual_seed(0)
    network = use_channels_last(Sphere20(channels, 1.0, (112, 112), 512, batch_norm)).to(DEVICE)
    head = heads[head_name](embedding=512, classes=VGGFACE2_SUBJECTS).to(DEVICE)
    images = scale_pixels(torch.randint(0, 256, (4, channels, 112, 112), dtype=torch.uint8, device=DEVICE))
    labels = torch.tensor([0, 17, 9130, 17], device=DEVICE)

    def loss() -> Tensor:
        return head(network(images), labels, 1.0).loss

    before, after = losses_of_two_steps(nn.ModuleList([network, head]), loss, learning_rate=1e-3)
    assert after < before


def test_resnet_101_expnet_learns_at_224_pixels():
    torch.manual_seed(0)
    layout = CoefficientLayout(identity=99, expression=29)
    network = use_channels_last(build_expnet(101, 1.0, layout.size)).to(DEVICE)
    images = scale_pixels(torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8, device=DEVICE))
    targets = torch.randn(2, layout.size, device=DEVICE)
    objective = objectives["l2"]()
    before, after = losses_of_two_steps(network, lambda: objective(network(images), targets), learning_rate=1e-3)
    assert after < before

import pytest
import torch
from torch.nn import functional

from models.networks.sphere20 import Sphere20, adapt_to_normals, carry_first_layer


def seeded(*args, **kwargs) -> Sphere20:
    torch.manual_seed(3)
    return Sphere20(*args, **kwargs)


@pytest.mark.parametrize("size", [(112, 112), (112, 96), (64, 64), (50, 37)])
def test_any_image_size_gives_one_embedding_an_image(size):
    network = seeded(1, 0.0625, size, embedding=24)
    assert network(torch.rand(2, 1, *size)).shape == (2, 24)


def test_there_are_twenty_convolutions_and_full_width_has_the_papers_channels():
    network = Sphere20()
    kernels = [module.weight.shape for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    expected = [(64, 3)] + [(64, 64)] * 2 + [(128, 64)] + [(128, 128)] * 4
    expected += [(256, 128)] + [(256, 256)] * 8 + [(512, 256)] + [(512, 512)] * 2
    assert [tuple(shape) for shape in kernels] == [(*channels, 3, 3) for channels in expected]
    assert network.embedding.weight.shape == (512, 512 * 7 * 7)


def test_the_forward_pass_is_the_one_of_the_paper_written_out():
    network = seeded(2, 0.0625, (16, 16), embedding=5)
    for parameter in network.parameters():  # so that no term can hide behind a small or zero start
        torch.nn.init.normal_(parameter, std=0.3)
    state, images = network.state_dict(), torch.randn(3, 2, 16, 16)

    def convolve(x, name, slope, stride):
        x = functional.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], stride, padding=1)
        return torch.where(x > 0, x, x * state[f"{slope}.weight"].view(-1, 1, 1))

    x = images
    for stage, pairs in enumerate((1, 2, 4, 1)):
        x = convolve(x, f"stages.{stage}.0", f"stages.{stage}.1", 2)
        for pair in range(2, 2 + pairs):
            branch = f"stages.{stage}.{pair}.branch"
            x = x + convolve(convolve(x, f"{branch}.0", f"{branch}.1", 1), f"{branch}.2", f"{branch}.3", 1)
    expected = x.flatten(1) @ state["embedding.weight"].T + state["embedding.bias"]
    torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_an_adapted_network_answers_to_a_normal_image_as_to_the_same_image_in_three_channels(batch_norm):
    pretrained = seeded(3, 0.0625, (32, 32), embedding=16, batch_norm=batch_norm)
    pretrained(torch.randn(8, 3, 32, 32))  # running statistics other than the initial ones
    before = {name: value.clone() for name, value in pretrained.state_dict().items()}
    adapted = adapt_to_normals(pretrained)
    grey = torch.randn(4, 1, 32, 32)
    torch.testing.assert_close(adapted.eval()(grey), pretrained.eval()(grey.expand(-1, 3, -1, -1)))
    with torch.no_grad():
        adapted.embedding.weight.zero_()
    assert all(torch.equal(value, before[name]) for name, value in pretrained.state_dict().items())


def test_adapting_draws_no_random_numbers_of_the_caller():
    pretrained = seeded(3, 0.0625, (32, 32))
    state = torch.get_rng_state()
    adapt_to_normals(pretrained)
    assert torch.equal(torch.get_rng_state(), state)


def test_carrying_changes_the_first_kernel_alone():
    state = seeded(3, 0.0625, (32, 32)).state_dict()
    carried = carry_first_layer(state)
    changed = [name for name in state if carried[name] is not state[name]]
    assert changed == ["stages.0.0.weight"]
    torch.testing.assert_close(carried[changed[0]][:, 0], state[changed[0]][:, 0] + state[changed[0]][:, 1:].sum(1))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_resetting_the_embedding_leaves_the_convolutions_alone(batch_norm):
    network = seeded(1, 0.0625, (32, 32), embedding=16, batch_norm=batch_norm)
    network(torch.randn(8, 1, 32, 32))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.reset_embedding()
    changed = {
        name.split(".")[0] for name, value in network.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed == ({"embedding", "embedding_norm"} if batch_norm else {"embedding"})

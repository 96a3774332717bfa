"""Two processes learn what one learns: the same curve, the same weights, killed or not, and nothing is left of them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from models.errors import ConfigurationError
from models.networks.sphere20 import Sphere20
from models.training.global_batch_norm import GlobalBatchNorm, normalise_together
from models.training.ranks import Part, require_parts
from models.training.safetensor_files import load_nested, save_nested
from tests.training.test_kills import images_in, train

REPOSITORY = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_parts_are_the_batch_and_their_weighted_means_its_mean(count: int):
    batch = torch.arange(10.0)
    parts = [Part(rank, count).of(batch) for rank in range(count)]
    assert sorted(torch.cat(parts).tolist()) == batch.tolist()
    means = [Part(rank, count).weight(len(mine), 10) * mine.mean() for rank, mine in enumerate(parts)]
    assert sum(means) / count == pytest.approx(4.5)


def test_more_processes_than_images_of_a_batch_are_refused():
    with pytest.raises(ConfigurationError, match=r"batches of 2 images for 4 processes.*TRINORMAL_TRAINING_PROCESSES"):
        require_parts(2, Part(0, 4))


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 5, 3)])
def test_batch_normalisation_over_one_process_is_pytorchs(shape: tuple[int, ...]):
    torch.manual_seed(0)
    values = (3 * torch.randn(shape) + 1).requires_grad_()
    own, theirs = GlobalBatchNorm(4), (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(4)
    weights = torch.randn(shape)
    gradients = []
    for norm in (own, theirs):
        values.grad = None
        (norm(values) * weights).sum().backward()
        assert values.grad is not None
        gradients.append((values.grad.clone(), norm.weight.grad, norm.bias.grad))
    for mine, oracle in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, oracle, rtol=1e-4, atol=1e-5)
    for name, oracle in theirs.state_dict().items():
        torch.testing.assert_close(own.state_dict()[name], oracle)
    torch.testing.assert_close(own.eval()(values), theirs.eval()(values))


def test_a_network_keeps_its_weights_when_it_normalises_together():
    network = Sphere20(1, 0.0625, (32, 32), 16, batch_norm=True)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    kinds = [type(module) for module in network.modules()]
    normalise_together(network, CPU)
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())
    normed = sum(issubclass(kind, nn.modules.batchnorm._BatchNorm) for kind in kinds)
    assert sum(isinstance(module, GlobalBatchNorm) for module in network.modules()) == normed > 0


def launch(folder: Path, processes: int, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    log = (folder / "log.txt").open("ab")
    return subprocess.Popen([*command, __file__, str(folder), *more], env=environment, stdout=log, stderr=log)


def curve(rows) -> list[tuple[float, float]]:
    return [(row[1], row[2]) for row in rows]


@pytest.mark.unproven
@pytest.mark.slow
class TestTwoProcesses:
    @pytest.fixture(scope="class")
    def alone(self, tmp_path_factory):
        rows: list = []
        weights: dict = {}
        train(images_in(tmp_path_factory.mktemp("one") / "data"), on_epoch=rows.append, keep=weights.update)
        return curve(rows), weights

    def test_the_curve_and_the_weights_are_those_of_one_also_when_killed_in_between(self, alone, tmp_path: Path):
        folder = images_in(tmp_path / "data")
        killed = launch(folder, 2, "die")
        assert killed.wait(240) != 0
        assert (folder / "run" / "last.safetensors").is_file(), (folder / "log.txt").read_text()
        assert launch(folder, 2).wait(240) == 0, (folder / "log.txt").read_text()
        done = load_nested(folder / "result.safetensors")
        assert done["told"] < 4
        losses, accuracies = np.array(curve(done["rows"])).T
        np.testing.assert_allclose(losses, np.array(alone[0])[:, 0], rtol=1e-4)
        np.testing.assert_allclose(accuracies, np.array(alone[0])[:, 1], atol=1e-6)
        for name, value in alone[1].items():
            torch.testing.assert_close(done["weights"][name], value, rtol=1e-2, atol=2e-4)


def main(folder: Path, die: bool) -> None:
    """What each process does: the training of `test_kills`; the first one writes what came of it."""
    rows: list = []
    told: list[int] = []
    weights: dict = {}

    def on_epoch(row) -> None:
        told.append(row.epoch)
        if die and row.epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    train(folder, on_epoch=on_epoch, keep=weights.update)
    rows = load_nested(folder / "run" / "last.safetensors")["callbacks"]
    history = next(state["history"] for state in rows.values() if "history" in state)
    if os.environ["RANK"] == "0":
        save_nested(folder / "result.safetensors", {"rows": history, "weights": weights, "told": len(told)})


if __name__ == "__main__":
    main(Path(sys.argv[1]), "die" in sys.argv)

from dataclasses import replace

import pytest
import torch

from models.errors import ArtefactError, ConfigurationError
from models.losses import CrossEntropyHead, LargeMarginCosineHead
from models.networks.sphere20 import Sphere20
from models.training.augmentation import NormalAugmentation
from models.training.recognition import fit_recogniser

CPU = torch.device("cpu")
SETTINGS = {"epochs": 3, "batch_size": 12, "learning_rate": 2e-3, "weight_decay": 5e-4, "seed": 7, "device": CPU}


def small_network(channels=1) -> Sphere20:
    torch.manual_seed(3)
    return Sphere20(channels, 0.0625, (32, 32), embedding=16, batch_norm=True)


def small_head():
    torch.manual_seed(4)
    return LargeMarginCosineHead(16, 6)


def weights(*modules):
    return [value.clone() for module in modules for value in module.state_dict().values()]


def same(first, second) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def fit(shards, folder, network, head, on_epoch=str, **changes):
    settings = {**SETTINGS, "axis": 1, "augment": NormalAugmentation(mirror=0.5), **changes}
    return fit_recogniser(network, head, shards, checkpoint_dir=folder, on_epoch=on_epoch, **settings)


class StopAt:
    """Says stop at its `count`-th question."""

    def __init__(self, count):
        self.left = count

    def __call__(self):
        self.left -= 1
        return self.left <= 0


@pytest.mark.parametrize("head", [CrossEntropyHead, LargeMarginCosineHead])
def test_fifty_smooth_classes_separate_in_a_few_epochs(smooth_shards, tmp_path, head):
    shards = smooth_shards(classes=50, each=12)
    torch.manual_seed(0)
    network = Sphere20(1, 0.125, (32, 32), embedding=512, batch_norm=True)
    settings = {"epochs": 4, "batch_size": 50, "augment": NormalAugmentation()}
    result = fit(shards, tmp_path, network, head(512, 50), **settings)
    assert result.finished
    assert result.history[0].accuracy < 0.6
    assert result.history[-1].accuracy > 0.85


def test_rows_count_epochs_and_images(smooth_shards, tmp_path):
    rows = []
    result = fit(smooth_shards(), tmp_path, small_network(), small_head(), rows.append)
    assert tuple(rows) == result.history
    assert [row.epoch for row in rows] == [1, 2, 3]
    for row in rows:
        assert row.images_per_second * row.seconds == pytest.approx(36)
        assert 0 <= row.accuracy <= 1


@pytest.mark.parametrize(("asked", "optimiser"), [(1, "sgd"), (4, "adamw"), (5, "sgd"), (9, "adamw")])
def test_a_stopped_and_resumed_run_ends_with_the_weights_of_the_unbroken_one(smooth_shards, tmp_path, asked, optimiser):
    shards, settings = smooth_shards(), {"optimiser": optimiser}
    whole, whole_head = small_network(), small_head()
    expected = fit(shards, tmp_path / "whole", whole, whole_head, **settings)

    part, part_head = small_network(), small_head()
    stopped = fit(shards, tmp_path / "part", part, part_head, should_stop=StopAt(asked), **settings)
    assert not stopped.finished
    assert len(stopped.history) == (asked - 1) // 3

    resumed, resumed_head = small_network(), small_head()
    rows = []
    result = fit(shards, tmp_path / "part", resumed, resumed_head, rows.append, **settings)
    assert result.finished
    assert [row.loss for row in result.history] == [row.loss for row in expected.history]
    assert [row.epoch for row in rows] == list(range(len(stopped.history) + 1, 4))
    assert same(weights(whole, whole_head), weights(resumed, resumed_head))
    assert not same(weights(whole), weights(part))


def test_a_finished_run_asked_again_trains_nothing_and_gives_the_same_weights(smooth_shards, tmp_path):
    shards, first, second = smooth_shards(), small_network(), small_network()
    history = fit(shards, tmp_path, first, small_head()).history
    rows = []
    again = fit(shards, tmp_path, second, small_head(), rows.append)
    assert (again.history, again.finished, rows) == (history, True, [])
    assert same(weights(first), weights(second))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"learning_rate": 1e-3}, "recipe"),
        ({"epochs": 9}, "recipe"),
        ({"axis": 2}, "axis"),
        ({"augment": NormalAugmentation()}, "augmentation"),
        ({"reinitialise_embedding": True}, "initial weights"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(smooth_shards, tmp_path, changes, named):
    shards = smooth_shards()
    fit(shards, tmp_path, small_network(), small_head(), should_stop=StopAt(4))
    with pytest.raises(ArtefactError, match=f"another run.*{named}"):
        fit(shards, tmp_path, small_network(), small_head(), **changes)


def test_a_checkpoint_with_other_margins_or_labels_is_refused(smooth_shards, tmp_path):
    shards = smooth_shards()
    fit(shards, tmp_path, small_network(), small_head(), should_stop=StopAt(4))
    with pytest.raises(ArtefactError, match="other loss"):
        fit(shards, tmp_path, small_network(), LargeMarginCosineHead(16, 6, margin=0.2))
    shards.targets = shards.targets[::-1].copy()
    with pytest.raises(ArtefactError, match="other targets"):
        fit(shards, tmp_path, small_network(), small_head())


def test_a_damaged_checkpoint_is_refused_not_trained_over(smooth_shards, tmp_path):
    shards = smooth_shards()
    fit(shards, tmp_path, small_network(), small_head(), should_stop=StopAt(4))
    checkpoint = tmp_path / "last.safetensors"
    content = bytearray(checkpoint.read_bytes())
    content[-9] ^= 4
    checkpoint.write_bytes(content)
    with pytest.raises(ArtefactError, match="hash"):
        fit(shards, tmp_path, small_network(), small_head())


def test_nothing_is_printed_and_nothing_but_the_checkpoint_is_written(smooth_shards, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shards = smooth_shards()
    before = set(tmp_path.rglob("*"))
    fit(shards, tmp_path / "run", small_network(), small_head(), should_stop=StopAt(4))
    fit(shards, tmp_path / "run", small_network(), small_head())
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "run", tmp_path / "run" / "last.safetensors"}
    assert capfd.readouterr() == ("", "")


def test_head_and_on_request_the_embedding_are_drawn_anew_from_the_seed_alone(smooth_shards, tmp_path):
    shards = smooth_shards()
    results = []
    for index, other_start in enumerate([1, 2]):
        network, head = small_network(), small_head()
        torch.nn.init.constant_(head.cosface.W, other_start)
        torch.nn.init.constant_(network.embedding.weight, other_start)
        fit(shards, tmp_path / str(index), network, head, epochs=1, reinitialise_embedding=True)
        results.append(weights(network, head))
    assert same(*results)


def test_the_callers_random_numbers_are_left_alone(smooth_shards, tmp_path):
    shards, network, head = smooth_shards(), small_network(), small_head()
    state = torch.get_rng_state()
    fit(shards, tmp_path, network, head, epochs=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_images_that_do_not_fit_the_network_are_refused(smooth_shards, tmp_path):
    with pytest.raises(ConfigurationError, match=r"\(1, 32, 32\).*\(3, 32, 32\)"):
        fit(smooth_shards(), tmp_path, small_network(channels=3), small_head())
    with pytest.raises(ConfigurationError, match=r"\(1, 24, 24\)"):
        fit(smooth_shards(size=24), tmp_path, small_network(), small_head())


def test_photos_train_in_all_three_channels(smooth_shards, tmp_path):
    result = fit(smooth_shards(), tmp_path, small_network(channels=3), small_head(), axis=None, epochs=1)
    assert result.history[0]._replace(seconds=0, images_per_second=0).accuracy is not None


def test_half_precision_trains_and_keeps_full_precision_weights(smooth_shards, tmp_path):
    network = small_network()
    fit(smooth_shards(), tmp_path, network, small_head(), epochs=1, precision="bf16-mixed")
    assert all(value.dtype in (torch.float32, torch.int64) for value in network.state_dict().values())
    assert all(value.isfinite().all() for value in network.state_dict().values())


def test_an_augmentation_is_part_of_what_a_run_is():
    assert repr(NormalAugmentation()) != repr(replace(NormalAugmentation(), noise=0.5))

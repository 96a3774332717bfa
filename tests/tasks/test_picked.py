"""Images picked out of shards: the right ones, in the order asked for, with whose they are."""

import numpy as np
import pytest

from tasks import picked
from tasks.few_scans import hybrid
from tasks.files import save_array
from tasks.normals import NormalShards
from tasks.picked import pick, together
from tasks.stages import make
from tasks.wiring import Workspace


@pytest.fixture
def shards(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> NormalShards:
    """Seven images in shards of 3, 0 and 4; each is filled with its number."""
    monkeypatch.setattr(picked, "open_workspace", lambda: workspace)

    def shard(numbers: list[int]):
        images = np.array(numbers, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 2, 2), np.uint8)
        return make(
            workspace,
            "normals",
            [],
            {"n": numbers},
            ["tasks.files"],
            lambda to, _: save_array(to / "normals.npy", images),
        )

    names = [f"image {number}" for number in range(7)]
    made = [shard([0, 1, 2]), shard([]), shard([3, 4, 5, 6])]
    return NormalShards(made, names, [f"who {number // 2}" for number in range(7)], [])


def numbers(given: NormalShards) -> list[int]:
    return [int(image[0, 0, 0]) for path in given.paths for image in np.load(path)]


def test_the_images_asked_for_come_in_that_order_and_absent_ones_are_left_out(shards: NormalShards):
    some = pick.fn(shards, ["image 5", "image 0", "nobody", "image 3"])
    assert numbers(some) == [5, 0, 3]
    assert some.sources == ["image 5", "image 0", "image 3"]
    assert some.subjects == ["who 2", "who 0", "who 1"]


def test_none_asked_for_is_an_empty_shard_of_the_same_size(shards: NormalShards):
    none = pick.fn(shards, [])
    assert np.load(none.paths[0]).shape == (0, 3, 2, 2)


def test_sets_together_are_one_after_the_other(shards: NormalShards):
    both = together(shards, pick.fn(shards, ["image 6"]))
    assert numbers(both) == [0, 1, 2, 3, 4, 5, 6, 6]
    assert len(both.sources) == len(both.subjects) == 8


@pytest.mark.parametrize(("share", "added"), [(0.05, 0), (0.3, 2), (1.0, 4)])
def test_scans_are_added_up_to_their_share_of_the_faces(shards: NormalShards, share: float, added: int, monkeypatch):
    monkeypatch.setattr("tasks.few_scans.pick", pick.fn)
    scans = pick.fn(shards, ["image 3", "image 4", "image 5", "image 6"])
    mixed = hybrid(shards, scans, share)
    assert numbers(mixed) == [0, 1, 2, 3, 4, 5, 6, *[3, 4, 5, 6][:added]]

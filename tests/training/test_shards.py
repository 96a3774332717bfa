import numpy as np
import pytest

from models.errors import DataError
from models.training.batching import SeededBatches, batch_loader
from models.training.shards import ByteStack, CoefficientShards, ImageShards


def written(folder, lengths=(3, 5, 2), shape=(3, 4, 5)):
    rng = np.random.default_rng(0)
    parts = [rng.integers(0, 256, (n, *shape), dtype=np.uint8) for n in lengths]
    paths = [folder / f"{i}.npy" for i in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        np.save(path, part)
    return paths, np.concatenate(parts)


def test_any_rows_in_any_order_come_back_as_from_one_array(tmp_path):
    paths, images = written(tmp_path)
    rows = np.array([9, 0, 3, 2, 7, 3])
    np.testing.assert_array_equal(ByteStack(paths).gather(rows), images[rows])
    np.testing.assert_array_equal(ByteStack(paths).gather(rows, axis=1), images[rows, 1:2])
    assert len(ByteStack(paths)) == 10


def test_a_loader_gives_whole_batches_with_their_own_targets(tmp_path):
    paths, images = written(tmp_path)
    labels = np.arange(10)
    shards = ImageShards(paths, labels)
    seen = list(batch_loader(shards.stack, shards.targets, 2, SeededBatches(10, 4, seed=5)))
    assert [len(batch.images) for batch in seen] == [4, 4]
    for batch in seen:
        np.testing.assert_array_equal(batch.images.numpy(), images[batch.targets.numpy(), 2:3])


def test_the_order_depends_on_seed_and_epoch_alone():
    def order(seed, epoch):
        batches = SeededBatches(20, 6, seed)
        batches.set_epoch(epoch)
        return np.concatenate(list(batches)).tolist()

    assert order(1, 3) == order(1, 3)
    assert order(1, 3) != order(1, 4)
    assert order(1, 3) != order(2, 3)
    assert len(set(order(1, 3))) == 18


def test_every_image_is_seen_when_batches_divide_and_few_images_make_one_batch():
    assert sorted(np.concatenate(list(SeededBatches(20, 5, 0)))) == list(range(20))
    assert [len(rows) for rows in SeededBatches(3, 64, 0)] == [3]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (np.zeros((2, 3, 4, 5), np.float32), "float32"),
        (np.zeros((2, 4, 5), np.uint8), "need uint8"),
        (np.zeros((2, 3, 9, 5), np.uint8), "beside"),
    ],
)
def test_a_shard_of_another_kind_is_refused(tmp_path, content, reason):
    paths, _ = written(tmp_path)
    np.save(paths[1], content)
    with pytest.raises(DataError, match=reason):
        ByteStack(paths)


def test_torn_missing_and_pickled_shards_are_refused(tmp_path):
    paths, _ = written(tmp_path)
    torn = tmp_path / "torn.npy"
    torn.write_bytes(paths[0].read_bytes()[:100])
    objects = tmp_path / "objects.npy"
    np.save(objects, np.array([{}], dtype=object), allow_pickle=True)
    for path in (torn, objects, tmp_path / "missing.npy"):
        with pytest.raises(DataError, match="encode it anew"):
            ByteStack([path])


def test_targets_must_match_the_images(tmp_path):
    paths, _ = written(tmp_path)
    with pytest.raises(DataError, match="10 images"):
        ImageShards(paths, np.arange(9))
    with pytest.raises(DataError, match="10 images"):
        CoefficientShards(paths, np.zeros((11, 4), np.float32))
    with pytest.raises(DataError, match="from 0"):
        ImageShards(paths, np.arange(10) - 1)
    with pytest.raises(DataError, match="no image shards"):
        ByteStack([])

"""The fused search against an exhaustive float64 search written out plainly."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.metrics.identification import euclidean_distances, fused_distances, fused_search, stream_search


def exhaustive(gallery, probe):
    total = np.zeros((len(gallery[0]), len(probe[0])))
    for g, p in zip(gallery, probe, strict=True):
        difference = g.astype(np.float64)[:, None] - p.astype(np.float64)[None]
        total += np.sqrt((difference**2).sum(axis=2))
    return total / 3


def random_features(generator, count, lengths, scale=1.0, offset=0.0):
    return tuple((generator.normal(size=(count, d)) * scale + offset).astype(np.float32) for d in lengths)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 90),
    st.integers(0, 60),
    st.tuples(*[st.integers(1, 40)] * 3),
    st.integers(1, 40),
    st.sampled_from([1e-12, 1e-3, 1.0, 1e6]),
    st.sampled_from([0.0, 50.0]),
)
def test_search_gives_the_indices_of_an_exhaustive_float64_search(seed, g, p, lengths, block, scale, offset):
    generator = np.random.default_rng(seed)
    gallery = random_features(generator, g, lengths, scale, offset)
    probe = random_features(generator, p, lengths, scale, offset)
    truth = exhaustive(gallery, probe)
    found = fused_search(gallery, probe, block=block)
    np.testing.assert_array_equal(found.best_index, truth.argmin(axis=0))
    np.testing.assert_allclose(found.best_distance, truth.min(axis=0), rtol=1e-12)


@pytest.mark.parametrize("block", [1, 7, 64])
def test_near_ties_that_float32_cannot_tell_apart_are_decided_in_float64(block):
    generator = np.random.default_rng(3)
    probe = random_features(generator, 30, (16, 16, 16), offset=30.0)
    base = random_features(generator, 1, (16, 16, 16), offset=30.0)
    steps = generator.integers(-2, 3, size=(50, 16))
    gallery = tuple((a + steps * np.spacing(a)).astype(np.float32) for a in base)
    truth = exhaustive(gallery, probe)
    squares = sum((g**2).sum(1)[:, None] + (p**2).sum(1) - 2 * g @ p.T for g, p in zip(gallery, probe, strict=True))
    assert (squares.argmin(axis=0) != truth.argmin(axis=0)).any(), "the case must be too hard for float32"
    np.testing.assert_array_equal(fused_search(gallery, probe, block=block).best_index, truth.argmin(axis=0))


@pytest.mark.parametrize("block", [1, 4, 100])
def test_equal_scans_tie_at_the_lowest_index(block):
    generator = np.random.default_rng(4)
    one = random_features(generator, 5, (8, 9, 10))
    gallery = tuple(np.concatenate([a, a, a]) for a in one)
    found = fused_search(gallery, one, block=block)
    np.testing.assert_array_equal(found.best_index, np.arange(5))
    np.testing.assert_array_equal(found.best_distance, 0.0)


def test_a_gallery_on_disk_is_searched_like_one_in_memory(tmp_path):
    generator = np.random.default_rng(5)
    gallery = random_features(generator, 200, (12, 12, 12))
    probe = random_features(generator, 20, (12, 12, 12))
    mapped = []
    for axis, array in enumerate(gallery):
        array.tofile(tmp_path / str(axis))
        mapped.append(np.memmap(tmp_path / str(axis), np.float32, "r", shape=array.shape))
    found = fused_search(tuple(mapped), probe, block=32)
    np.testing.assert_array_equal(found.best_index, exhaustive(gallery, probe).argmin(axis=0))


@pytest.mark.parametrize("sizes", [(200,), (1, 150, 49), (64, 64, 72)])
def test_a_gallery_in_parts_is_searched_like_one_piece(sizes):
    generator = np.random.default_rng(8)
    gallery, probe = random_features(generator, 200, (12, 13, 14)), random_features(generator, 20, (12, 13, 14))
    ends = np.cumsum(sizes)
    parts = (tuple(a[end - size : end] for a in gallery) for size, end in zip(sizes, ends, strict=True))
    found = stream_search(parts, probe, block=33)
    np.testing.assert_array_equal(found.best_index, exhaustive(gallery, probe).argmin(axis=0))
    with pytest.raises(DataError, match="empty"):
        stream_search(iter([]), probe)


def test_memory_does_not_grow_with_the_gallery():
    generator = np.random.default_rng(9)
    probe = random_features(generator, 50, (32, 32, 32))

    def parts(count):
        return (random_features(generator, 256, (32, 32, 32)) for _ in range(count))

    def peak(count) -> int:
        tracemalloc.start()
        stream_search(parts(count), probe, block=256)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    stream_search(parts(1), probe, block=256)  # compiles
    short = peak(4)
    assert peak(40) < 1.1 * short
    assert short < 3_000_000  # 40 parts hold 3.9 MB


def test_a_winner_in_any_strip_of_a_block_is_found():
    generator = np.random.default_rng(10)
    probe = random_features(generator, 40, (8, 8, 8))
    gallery = random_features(generator, 700, (8, 8, 8), scale=3.0)
    places = generator.choice(700, 40, replace=False)
    for side, mine in zip(gallery, probe, strict=True):
        side[places] = mine + generator.normal(scale=0.01, size=mine.shape).astype(np.float32)
    np.testing.assert_array_equal(fused_search(gallery, probe).best_index, places)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e19])
def test_features_that_cannot_be_compared_are_refused(value):
    good = random_features(np.random.default_rng(0), 3, (4, 4, 4))
    bad = tuple(a.copy() for a in good)
    bad[1][2, 3] = value
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(DataError, match="not finite"), np.errstate(all="ignore"):
            fused_search(*pair)


def test_empty_galleries_and_unequal_shapes_are_refused():
    generator = np.random.default_rng(0)
    probe = random_features(generator, 3, (4, 4, 4))
    for gallery, reason in (
        (random_features(generator, 0, (4, 4, 4)), "empty"),
        (random_features(generator, 2, (4, 5, 4)), "lengths differ"),
        ((*random_features(generator, 2, (4, 4, 4))[:2], probe[2]), "three axes"),
    ):
        with pytest.raises(DataError, match=reason):
            fused_search(gallery, probe)


def test_distances_equal_the_plain_ones_even_between_almost_equal_vectors():
    generator = np.random.default_rng(6)
    gallery = (generator.normal(size=(40, 30)) + 5).astype(np.float32)
    probe = np.concatenate([gallery[:10], gallery[10:20] + np.float32(1e-4), gallery[20:30] + np.float32(1)])
    truth = np.sqrt(((gallery[:, None].astype(np.float64) - probe[None].astype(np.float64)) ** 2).sum(axis=2))
    np.testing.assert_allclose(euclidean_distances(gallery, probe), truth, rtol=2e-4, atol=0)


def test_the_fused_distance_is_the_mean_of_the_three_axes():
    generator = np.random.default_rng(7)
    gallery, probe = random_features(generator, 9, (5, 6, 7)), random_features(generator, 4, (5, 6, 7))
    np.testing.assert_allclose(fused_distances(gallery, probe), exhaustive(gallery, probe), rtol=1e-5)

"""The gallery-size curve against galleries really drawn, and all of them listed."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from models.metrics.gallery_size import chance_of_staying_first, gallery_curve, round_sizes
from models.metrics.identification import rank_k, rank_of_genuine


@given(st.integers(1, 7), st.data())
def test_the_chance_is_the_share_of_all_galleries_listed(people, data):
    rank, size = data.draw(st.integers(1, people)), data.draw(st.integers(1, people))
    others = range(people - 1)  # the first rank - 1 of them are nearer than the own scan
    galleries = list(combinations(others, size - 1))
    share = sum(all(other >= rank - 1 for other in gallery) for gallery in galleries) / len(galleries)
    assert chance_of_staying_first(np.array([rank]), people, size)[0] == pytest.approx(share, abs=1e-9)


def test_the_curve_is_the_mean_of_galleries_really_drawn():
    rng = np.random.default_rng(0)
    people, each = 30, 4
    names = [f"p{k:02d}" for k in range(people)]
    centres = rng.normal(size=(people, 5))
    probes = np.repeat(centres, each, axis=0) + rng.normal(0, 0.7, (people * each, 5))
    distances = np.linalg.norm(centres[:, None] - probes[None], axis=2)
    owners = [name for name in names for _ in range(each)]
    curve = gallery_curve(rank_of_genuine(distances, names, owners), owners, people, [5, 15, 30], seed=0)
    for point in curve:
        drawn = []
        for _ in range(150):
            chosen = np.sort(rng.choice(people, point.size, replace=False))
            searched = [k for k, owner in enumerate(owners) if names.index(owner) in chosen]
            part = distances[np.ix_(chosen, searched)]
            drawn.append(rank_k(rank_of_genuine(part, [names[k] for k in chosen], [owners[k] for k in searched])))
        assert point.rank1 == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / np.sqrt(150) + 1e-9)
        assert point.low <= point.rank1 <= point.high
    assert curve[0].rank1 > curve[1].rank1 > curve[2].rank1


def test_the_whole_gallery_is_rank_one_and_a_lost_probe_is_a_miss_at_every_size():
    ranks = np.array([1, 1, 2, 5])
    curve = gallery_curve(ranks, ["a", "a", "b", "c"], 5, [1, 5], seed=0, lost_subjects=["a"])
    assert curve[1].rank1 == pytest.approx(rank_k(ranks, failures=1))
    assert curve[0].rank1 == pytest.approx(4 / 5)


@pytest.mark.parametrize(("ranks", "sizes"), [([1], [0]), ([1], [4]), ([4], [3])])
def test_sizes_and_ranks_beyond_the_people_are_refused(ranks, sizes):
    with pytest.raises(DataError, match="gallery sizes"):
        gallery_curve(np.array(ranks), ["a"], 3, sizes, seed=0)


@given(st.integers(1, 3000))
def test_round_sizes_rise_to_everybody(people):
    sizes = round_sizes(people)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == people
    assert sizes[0] >= 1

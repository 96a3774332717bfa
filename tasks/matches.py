"""Pictures of the surest hits and the worst misses: normal images of the probe, of what was found, of the right one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from infra.files import atomic_write_bytes
from models.metrics.benchmark import Outcome
from models.metrics.protocol import Protocol
from tasks.files import write_json
from tasks.normals import NormalShards
from tasks.reconstruct import png


class Match(NamedTuple):
    """One search: file names of the pictures of Nx, Ny and Nz side by side; `right` is empty for a hit."""

    kind: str
    probe: str
    found: str
    right: str
    distance: float
    genuine_distance: float
    rank: int
    pictures: list[str]


def draw_matches(
    folder: Path, outcomes: Sequence[Outcome], normals: NormalShards, protocol: Protocol, count: int = 3
) -> list[Match]:
    """The `count` hits with the smallest distance (of different people), and the misses that were furthest off.

    Writes `matches.json` and a PNG for each scan shown.
    """
    enrolled = {member.subject: member.id for member in reversed(protocol.gallery)}
    searched = [each for each in outcomes if each.nearest_distance is not None and each.genuine_distance is not None]
    hits = sorted((each for each in searched if each.hit), key=lambda each: each.nearest_distance or 0.0)
    misses = sorted((each for each in searched if not each.hit), key=_margin, reverse=True)
    chosen = [("hit", each) for each in _of_different_people(hits, count)]
    chosen += [("miss", each) for each in _of_different_people(misses, count)]
    matches: list[Match] = []
    for number, (kind, each) in enumerate(chosen):
        right = enrolled[each.subject] if kind == "miss" else ""
        shown = [source for source in (each.probe, each.nearest, right) if source]
        pictures = [f"match-{number}-{place}.png" for place in range(len(shown))]
        for name, source in zip(pictures, shown, strict=True):
            atomic_write_bytes(folder / name, png(np.hstack(list(normal_image(normals, source)))))
        distances = float(each.nearest_distance or 0), float(each.genuine_distance or 0)
        matches.append(Match(kind, each.probe, each.nearest, right, *distances, each.rank, pictures))
    write_json(folder / "matches.json", [match._asdict() for match in matches])
    return matches


def normal_image(normals: NormalShards, source: str) -> UInt8[ndarray, "3 h w"]:
    """The stored bytes of one scan, read from its shard alone."""
    row = normals.sources.index(source)
    for path in normals.paths:
        shard = np.load(path, mmap_mode="r", allow_pickle=False)
        if row < len(shard):
            return np.array(shard[row])
        row -= len(shard)
    raise IndexError(f"{source} is beyond the shards")


def _margin(outcome: Outcome) -> float:
    """How much nearer a stranger was than the own scan."""
    return (outcome.genuine_distance or 0.0) - (outcome.nearest_distance or 0.0)


def _of_different_people(outcomes: Sequence[Outcome], count: int) -> Iterator[Outcome]:
    seen: set[str] = set()
    for outcome in outcomes:
        if len(seen) == count:
            return
        if outcome.subject not in seen:
            seen.add(outcome.subject)
            yield outcome

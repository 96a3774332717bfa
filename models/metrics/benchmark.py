"""One benchmark, one variant: features of the scans that could be encoded against a whole protocol."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from models.errors import DataError
from models.metrics.identification import cmc, euclidean_distances, mean_of_three, rank_k, rank_of_genuine
from models.metrics.intervals import rank1_interval
from models.metrics.protocol import Protocol

Features = tuple[Float32[ndarray, "n d"], Float32[ndarray, "n d"], Float32[ndarray, "n d"]]


class Scores(NamedTuple):
    """Rank-1 (0-1) of each axis and of the fusion, the fusion's 95 % interval over subjects, and its CMC curve."""

    x: float
    y: float
    z: float
    fused: float
    fused_low: float
    fused_high: float
    cmc: list[float]

    def rank1(self) -> dict[str, float]:
        """The four headline figures."""
        return {"x": self.x, "y": self.y, "z": self.z, "fused": self.fused}


class Usable(NamedTuple):
    """Rows of the features that a protocol uses, their subjects, and the probes (ids) that cannot be searched."""

    gallery: list[int]
    gallery_subjects: list[str]
    probes: list[int]
    probe_subjects: list[str]
    lost: list[str]
    lost_subjects: list[str]


def unit_rows(features: Float32[ndarray, "n d"]) -> Float32[ndarray, "n d"]:
    """Each row at unit length, so that no axis outweighs the others in the mean of equation 15."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(lengths, np.float32(1e-12))


def usable(sources: Sequence[str], protocol: Protocol) -> Usable:
    """Which rows of the features (named by `sources`) stand for which members of the protocol.

    A probe that failed to be acquired, or whose subject failed to be enrolled, is lost: it counts as a miss.
    """
    row = {source: number for number, source in enumerate(sources)}
    gallery = [member for member in protocol.gallery if member.id in row]
    enrolled = {member.subject for member in gallery}
    probes = [member for member in protocol.probes if member.id in row and member.subject in enrolled]
    searched = {member.id for member in probes}
    return Usable(
        [row[member.id] for member in gallery],
        [member.subject for member in gallery],
        [row[member.id] for member in probes],
        [member.subject for member in probes],
        [member.id for member in protocol.probes if member.id not in searched],
        [member.subject for member in protocol.probes if member.id not in searched],
    )


class Searched(NamedTuple):
    """All distances of a benchmark: of each axis and their mean (equation 15), gallery by probes as in `part`."""

    part: Usable
    axes: tuple[Float32[ndarray, "g p"], Float32[ndarray, "g p"], Float32[ndarray, "g p"]]
    fused: Float32[ndarray, "g p"]

    def ranks(self, distances: Float32[ndarray, "g p"]) -> Int64[ndarray, " p"]:
        """The place of each probe's own subject by those distances."""
        return rank_of_genuine(distances, self.part.gallery_subjects, self.part.probe_subjects)


class Outcome(NamedTuple):
    """What became of one probe by the fused distances; a lost one has rank 0, no nearest scan and no distances."""

    probe: str
    subject: str
    rank: int
    nearest: str
    nearest_subject: str
    nearest_distance: float | None
    genuine_distance: float | None

    @property
    def lost(self) -> bool:
        """Whether it could not be searched at all."""
        return self.rank == 0

    @property
    def hit(self) -> bool:
        """Whether its subject came first."""
        return self.rank == 1


def search_all(features: Features, sources: Sequence[str], protocol: Protocol) -> Searched:
    """Every usable probe against every enrolled scan (equations 12-15).

    Raises `DataError` when nobody could be enrolled.
    """
    part = usable(sources, protocol)
    if not part.gallery:
        raise DataError(f"{protocol.name}: none of {len(protocol.gallery)} gallery scans could be encoded: check them")
    x, y, z = (euclidean_distances(axis[part.gallery], axis[part.probes]) for axis in features)
    return Searched(part, (x, y, z), mean_of_three(x, y, z))


def score(features: Features, sources: Sequence[str], protocol: Protocol, seed: int, max_rank: int = 20) -> Scores:
    """Closed-set identification by each axis and by the mean of the three distances; see `scores_of`."""
    return scores_of(search_all(features, sources, protocol), seed, max_rank)


def scores_of(searched: Searched, seed: int, max_rank: int = 20) -> Scores:
    """Rank-1 by each axis and fused, with lost probes as misses. Raises `DataError` without any probe."""
    part, lost = searched.part, len(searched.part.lost_subjects)
    by_axis = [rank_k(searched.ranks(distances), failures=lost) for distances in searched.axes]
    fused = searched.ranks(searched.fused)
    hits = np.concatenate([fused == 1, np.zeros(lost, dtype=bool)])
    interval = rank1_interval(hits, [*part.probe_subjects, *part.lost_subjects], seed)
    curve = [float(value) for value in cmc(fused, min(max_rank, len(part.gallery)), failures=lost)]
    return Scores(by_axis[0], by_axis[1], by_axis[2], rank_k(fused, failures=lost), interval.low, interval.high, curve)


def outcomes(searched: Searched, sources: Sequence[str], protocol: Protocol) -> list[Outcome]:
    """One outcome a probe, in the order of the protocol."""
    part, ranks = searched.part, searched.ranks(searched.fused)
    own = np.array(part.gallery_subjects, dtype=str)[:, None] == np.array(part.probe_subjects, dtype=str)[None, :]
    genuine = np.where(own, searched.fused, np.float32(np.inf)).min(axis=0, initial=np.inf)
    first = searched.fused.argmin(axis=0)
    known: dict[str, Outcome] = {}
    for column, row in enumerate(part.probes):
        place = int(first[column])
        known[sources[row]] = Outcome(
            sources[row],
            part.probe_subjects[column],
            int(ranks[column]),
            sources[part.gallery[place]],
            part.gallery_subjects[place],
            float(searched.fused[place, column]),
            float(genuine[column]),
        )
    return [known.get(member.id) or Outcome(*member, 0, "", "", None, None) for member in protocol.probes]

"""One benchmark, one variant: features of the scans that could be encoded against a whole protocol."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.errors import DataError
from models.metrics.identification import cmc, euclidean_distances, fused_distances, rank_k, rank_of_genuine
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
    """Rows of the features that a protocol uses, their subjects, and the probes that cannot be searched."""

    gallery: list[int]
    gallery_subjects: list[str]
    probes: list[int]
    probe_subjects: list[str]
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
        [member.subject for member in protocol.probes if member.id not in searched],
    )


def score(features: Features, sources: Sequence[str], protocol: Protocol, seed: int, max_rank: int = 20) -> Scores:
    """Closed-set identification by each axis and by the mean of the three distances (equations 12-15).

    Raises `DataError` when nobody is enrolled or nothing is searched for.
    """
    part = usable(sources, protocol)
    if not part.gallery:
        raise DataError(f"{protocol.name}: none of {len(protocol.gallery)} gallery scans could be encoded: check them")
    gallery = tuple(axis[part.gallery] for axis in features)
    probes = tuple(axis[part.probes] for axis in features)
    lost = len(part.lost_subjects)

    def ranks(distances: Float32[ndarray, "g p"]) -> ndarray:
        return rank_of_genuine(distances, part.gallery_subjects, part.probe_subjects)

    by_axis = [rank_k(ranks(euclidean_distances(g, p)), failures=lost) for g, p in zip(gallery, probes, strict=True)]
    fused = ranks(fused_distances((gallery[0], gallery[1], gallery[2]), (probes[0], probes[1], probes[2])))
    hits = np.concatenate([fused == 1, np.zeros(lost, dtype=bool)])
    interval = rank1_interval(hits, [*part.probe_subjects, *part.lost_subjects], seed)
    curve = [float(value) for value in cmc(fused, min(max_rank, len(part.gallery)), failures=lost)]
    return Scores(by_axis[0], by_axis[1], by_axis[2], rank_k(fused, failures=lost), interval.low, interval.high, curve)

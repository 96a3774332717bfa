"""Comparison scores of a benchmark: which distances are genuine, which are impostor, and whose they are."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray

from models.errors import DataError


class Comparisons(NamedTuple):
    """Distances (smaller is more alike) and the people behind them, as numbers into `subjects`.

    A genuine comparison has one owner, an impostor comparison two: the probe's and the reference's. `failed` are the
    owners of genuine attempts that gave no score, one each: failures to acquire or to enrol.
    """

    subjects: tuple[str, ...]
    genuine: Float64[ndarray, " n"]
    genuine_owner: Int64[ndarray, " n"]
    impostor: Float64[ndarray, " m"]
    impostor_probe: Int64[ndarray, " m"]
    impostor_reference: Int64[ndarray, " m"]
    failed: Int64[ndarray, " f"]

    def among(self, people: Sequence[str]) -> "Comparisons":
        """The comparisons in which everybody involved is one of `people`: a part that shares nobody with the rest."""
        inside = np.isin(np.array(self.subjects, dtype=str), np.array(list(people), dtype=str))
        genuine = inside[self.genuine_owner]
        impostor = inside[self.impostor_probe] & inside[self.impostor_reference]
        return self._replace(
            genuine=self.genuine[genuine],
            genuine_owner=self.genuine_owner[genuine],
            impostor=self.impostor[impostor],
            impostor_probe=self.impostor_probe[impostor],
            impostor_reference=self.impostor_reference[impostor],
            failed=self.failed[inside[self.failed]],
        )


def compare_all(
    distances: Float32[ndarray, "g p"] | Float64[ndarray, "g p"],
    gallery_subjects: Sequence[str],
    probe_subjects: Sequence[str],
    lost_subjects: Sequence[str] = (),
) -> Comparisons:
    """Every probe against every gallery scan. `lost_subjects` names the subject of each probe that gave no score.

    Raises `DataError` when labels and distances do not match, or a distance is not finite.
    """
    if distances.shape != (len(gallery_subjects), len(probe_subjects)):
        expected = f"{len(gallery_subjects)} gallery and {len(probe_subjects)} probe labels"
        raise DataError(f"distances of shape {distances.shape} for {expected}: give one label a scan")
    if not np.isfinite(distances).all():
        raise DataError("distances hold values that are not finite: count such probes as failures to acquire")
    labels = np.array([*gallery_subjects, *probe_subjects, *lost_subjects], dtype=str)
    names, number = np.unique(labels, return_inverse=True)
    reference, probe, failed = np.split(
        number.astype(np.int64), np.cumsum([len(gallery_subjects), len(probe_subjects)])
    )
    same = _same_person(reference, probe)
    rows, columns = np.nonzero(~same)
    return Comparisons(
        tuple(names.tolist()),
        distances[same].astype(np.float64),
        probe[np.nonzero(same)[1]],
        distances[rows, columns].astype(np.float64),
        probe[columns],
        reference[rows],
        failed,
    )


def _same_person(reference: Int64[ndarray, " g"], probe: Int64[ndarray, " p"]) -> Bool[ndarray, "g p"]:
    return reference[:, None] == probe[None, :]


def comparisons_of(
    distances: Float64[ndarray, " r"], probe_subjects: Sequence[str], reference_subjects: Sequence[str | None]
) -> Comparisons:
    """The same from a list of comparisons, as score files hold it; one without a reference is a lost probe."""
    references = [
        own if given is None else given for own, given in zip(probe_subjects, reference_subjects, strict=True)
    ]
    labels = [*probe_subjects, *references]
    names, number = np.unique(np.array(labels, dtype=str), return_inverse=True)
    probe, reference = (half.astype(np.int64) for half in np.split(number, [len(probe_subjects)]))
    lost = np.array([subject is None for subject in reference_subjects], dtype=bool)
    genuine, impostor = ~lost & (probe == reference), ~lost & (probe != reference)
    return Comparisons(
        tuple(names.tolist()),
        distances[genuine],
        probe[genuine],
        distances[impostor],
        probe[impostor],
        reference[impostor],
        probe[lost],
    )

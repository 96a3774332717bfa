"""What one model showed on one benchmark beyond rank-1: verification, open set, gallery size and groups, as data."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from models.errors import DataError
from models.metrics.benchmark import Outcome, Searched
from models.metrics.comparisons import compare_all
from models.metrics.gallery_size import gallery_curve, round_sizes
from models.metrics.groups import differentials
from models.metrics.open_set import fnir_at_fpir, open_set
from models.metrics.operating_points import TooFewComparisons
from models.metrics.paired import Paired, compare_models
from models.metrics.verification_summary import half_of, verify

FPIR_TARGETS = (0.1, 0.01)


class Details(NamedTuple):
    """Each part as JSON can say it. Where the people or comparisons are too few, `missing` says of what and why."""

    verification: dict[str, Any] | None
    open_set: list[dict[str, float]]
    gallery_curve: list[dict[str, float]]
    slices: list[dict[str, Any]]
    missing: list[str]

    def figures(self) -> dict[str, float]:
        """The single numbers, under the names they are tracked by."""
        found = {f"fnir_at_fpir_{point['fpir']:g}": point["fnir"] for point in self.open_set}
        if self.verification is None:
            return found
        told = self.verification
        found |= {name: told[name] for name in ("auc", "cllr", "min_cllr", "calibration_error")}
        found |= {"eer": told["eer"]["value"], "eer_low": told["eer"]["low"], "eer_high": told["eer"]["high"]}
        for point in told["points"]:
            name = f"fnmr_at_fmr_{point['threshold']['fmr']:g}"
            found |= {name: point["fnmr"], f"{name}_low": point["interval"]["low"]}
            found |= {f"{name}_high": point["interval"]["high"]}
        return found


def details_of(
    searched: Searched, outcomes: Sequence[Outcome], labels: Mapping[str, Sequence[str]], seed: int
) -> Details:
    """All parts from the distances of one model; `labels[name][i]` is the group of outcome i."""
    part, missing = searched.part, list[str]()
    verification: dict[str, Any] | None = None
    try:
        comparisons = compare_all(searched.fused, part.gallery_subjects, part.probe_subjects, part.lost_subjects)
        verification = verify(comparisons, half_of(part.gallery_subjects, seed), seed).as_data()
        missing += verification["refused"]
    except DataError as error:
        missing.append(f"verification: {error}")
    people = len(set(part.gallery_subjects))
    curve = gallery_curve(
        searched.ranks(searched.fused), part.probe_subjects, people, round_sizes(people), seed, part.lost_subjects
    )
    hits, lost = (np.array([getattr(each, which) for each in outcomes], dtype=bool) for which in ("hit", "lost"))
    groups = differentials(hits, lost, [each.subject for each in outcomes], labels, seed)
    return Details(
        verification,
        _open_set(searched, seed, missing),
        [point._asdict() for point in curve],
        [{**each._asdict(), "slices": [_as_data(one) for one in each.slices]} for each in groups],
        missing,
    )


def compare_outcomes(first: Sequence[Outcome], second: Sequence[Outcome], seed: int) -> Paired:
    """Two models on one protocol. Raises `DataError` when they were not asked about the same probes in one order."""
    if [each.probe for each in first] != [each.probe for each in second]:
        raise DataError("the two models were scored on other probes: score both under one protocol")
    hits = [np.array([each.hit for each in outcomes], dtype=bool) for outcomes in (first, second)]
    return compare_models(hits[0], hits[1], [each.subject for each in first], seed)


def _open_set(searched: Searched, seed: int, missing: list[str]) -> list[dict[str, float]]:
    """Half of the people enrolled, the others strangers."""
    part = searched.part
    try:
        enrolled = half_of(part.gallery_subjects, seed)
        searches = open_set(searched.fused, part.gallery_subjects, part.probe_subjects, enrolled, part.lost_subjects)
    except DataError as error:
        missing.append(f"open set: {error}")
        return []
    points: list[dict[str, float]] = []
    for fpir in FPIR_TARGETS:
        try:
            points.append(fnir_at_fpir(searches, fpir)._asdict())
        except TooFewComparisons as error:
            missing.append(f"open set: {error}".replace("FMR", "FPIR").replace("impostor comparisons", "searches"))
    return points


def _as_data(one: Any) -> dict[str, Any]:
    """A slice with its intervals as dictionaries."""
    against = None if one.against_rest is None else one.against_rest._asdict()
    return {**one._asdict(), "rank1": one.rank1._asdict(), "against_rest": against}

"""Up to which distance two scans are taken for one person: set on a model's development people, kept with its run."""

from typing import Any, NamedTuple

from models.errors import DataError
from registry.packaging import ModelVersion
from registry.tracking import Tracker
from registry.training_runs import training_details


class Threshold(NamedTuple):
    """Up to `distance` it is the person. `fmr` is the share of impostors let in on `people` who set it.

    `fmr` is None where somebody gave the distance.
    """

    distance: float
    fmr: float | None
    benchmark: str
    people: int


def given(distance: float) -> Threshold:
    """A threshold of one's own; raises `DataError` where it is no distance between unit embeddings."""
    if not 0 < distance <= 2:
        raise DataError(f"a threshold of {distance:g}: distances of embeddings lie between 0 and 2")
    return Threshold(distance, None, "", 0)


def stored_threshold(tracker: Tracker, version: ModelVersion) -> Threshold | None:
    """The strictest operating point that a model's own benchmark could set; None where it could set none.

    It holds for scans: no development set has photos.
    """
    found: list[Threshold] = []
    for benchmark, details in training_details(tracker, version).items():
        verification: dict[str, Any] = details.get("verification") or {"points": [], "development": []}
        people = len(verification["development"])
        for point in verification["points"]:
            told = point["threshold"]
            found.append(Threshold(float(told["distance"]), float(told["fmr"]), benchmark, people))
    return min(found, key=lambda each: (each.fmr or 0, each.distance), default=None)

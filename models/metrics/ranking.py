"""Who a probe is most like: people in the order of the nearest of their templates."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from models.errors import DataError


class Ranked(NamedTuple):
    """A person's place for one probe: the nearest of their templates (its row) and the distance to it."""

    person: int
    distance: float
    row: int


def rank_people(distances: Float32[ndarray, " g"], owners: Int64[ndarray, " g"], most: int) -> list[Ranked]:
    """The nearest `most` people of one probe, each by their nearest template; ties go to the lower row.

    Raises `DataError` where a distance is not finite.
    """
    if not np.isfinite(distances).all():
        raise DataError("distances hold values that are not finite: look at the model that made the templates")
    order = np.argsort(distances, kind="stable")
    people, first = np.unique(owners[order], return_index=True)
    nearest = sorted(zip(first.tolist(), people.tolist(), strict=True))[:most]
    return [Ranked(person, float(distances[order[place]]), int(order[place])) for place, person in nearest]

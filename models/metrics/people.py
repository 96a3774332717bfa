"""Rows of several people as people: whoever has many photos weighs no more than whoever has one."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from models.errors import DataError


def membership(subjects: Sequence[str | None]) -> Float64[ndarray, "c n"]:
    """Row c averages over the rows of person c (ordered by first appearance); a row of nobody known is a person."""
    names = [f"{place}?" if name is None else f"={name}" for place, name in enumerate(subjects)]
    place_of = {name: place for place, name in enumerate(dict.fromkeys(names))}
    averaging = np.zeros((len(place_of), len(names)))
    averaging[[place_of[name] for name in names], np.arange(len(names))] = 1.0
    return averaging / averaging.sum(axis=1, keepdims=True)


def person_means(rows: Float64[ndarray, "n d"], subjects: Sequence[str | None]) -> Float64[ndarray, "c d"]:
    """The mean vector of each person. Raises `DataError` on no, unequal or infinite input."""
    require_rows(rows, subjects)
    return membership(subjects) @ rows


def standardised(
    first: Float64[ndarray, "n d"], second: Float64[ndarray, "m d"]
) -> tuple[Float64[ndarray, "n e"], Float64[ndarray, "m e"]]:
    """Both by mean and deviation of all rows together, without columns that never change."""
    rows = np.concatenate([first, second])
    spread = rows.std(axis=0)
    kept = spread > 1e-9 * max(float(np.abs(rows).max(initial=0.0)), 1e-300)
    centre, scale = rows[:, kept].mean(axis=0), spread[kept]
    return (first[:, kept] - centre) / scale, (second[:, kept] - centre) / scale


def require_rows(rows: Float64[ndarray, "n d"], subjects: Sequence[str | None]) -> None:
    """Raise `DataError` unless there is a finite row for each subject."""
    if len(rows) == 0 or len(rows) != len(subjects) or not np.isfinite(rows).all():
        raise DataError(f"{len(rows)} rows for {len(subjects)} subjects: give each a finite row, at least one")

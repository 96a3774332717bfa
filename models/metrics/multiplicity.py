"""Several tests at once: the chance of any false alarm, not of each."""

from collections.abc import Mapping

from models.errors import DataError


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p-values adjusted so that an alarm at level a is false in a share a of all nights at most. Holm 1979.

    Raises `DataError` on a value that is no probability.
    """
    for name, p in p_values.items():
        if not 0 <= p <= 1:
            raise DataError(f"{name}: {p} is no probability")
    adjusted: dict[str, float] = {}
    least = 0.0
    for place, (name, p) in enumerate(sorted(p_values.items(), key=lambda each: each[1])):
        least = max(least, min(1.0, (len(p_values) - place) * p))
        adjusted[name] = least
    return {name: adjusted[name] for name in p_values}

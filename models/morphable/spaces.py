"""Coefficients mean something only in the space of their own model: the check at every boundary."""

from collections.abc import Iterable

from models.errors import ConfigurationError
from models.types import Coefficients


def require_space(coefficients: Coefficients, space: str, where: str) -> None:
    """Raise `ConfigurationError` unless `coefficients` belong to `space`; `where` says who takes them."""
    if coefficients.space != space:
        raise ConfigurationError(
            f"{where}: takes coefficients of {space!r} and was given some of {coefficients.space!r}; "
            "coefficients of different models never mix: reconstruct the photos with the model that is wanted here"
        )


def common_space(coefficients: Iterable[Coefficients], where: str) -> str:
    """The one space of all `coefficients`; raises `ConfigurationError` when there are two, or none at all."""
    space: str | None = None
    for each in coefficients:
        if space is None:
            space = each.space
        require_space(each, space, where)
    if space is None:
        raise ConfigurationError(f"{where}: no coefficients were given; reconstruct some photos first")
    return space

"""Where coefficients come from, and the refusal of those that come from elsewhere."""

from typing import NamedTuple

from models.errors import ConfigurationError


class Source(NamedTuple):
    """The space of coefficients, and the reconstructor with its version that gave them.

    Two trainings of one reconstructor share a space and yet see faces differently: `reconstructor` names the weights,
    `confidence` those of the C-Net that pools identities (empty: none).
    """

    space: str
    reconstructor: str
    confidence: str = ""


def require_source(found: Source, wanted: Source, where: str) -> None:
    """Raise `ConfigurationError` unless coefficients come from where a classifier's training data came from."""
    for what, have, need in zip(("space", "reconstructor", "C-Net"), found, wanted, strict=True):
        if have != need:
            raise ConfigurationError(
                f"{where}: takes coefficients of {what} {need!r} and was given some of {have!r}; "
                "reconstruct the photos with the version it was trained with, or train it anew"
            )

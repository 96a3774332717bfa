"""What an index of a data set says about each photo or scan, without opening it."""

from dataclasses import dataclass, field
from typing import NamedTuple

Point = tuple[float, float]
FivePoints = tuple[Point, Point, Point, Point, Point]


class Box(NamedTuple):
    """A rectangle in the pixel frame; it may leave the photo."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class PhotoRecord:
    """One photo: `path` is relative to the data set's root, with forward slashes. Unknown things are None.

    `five_points`: right eye, left eye, nose tip, right and left mouth corner of the person (the eye on the photo's
    left comes first), pixel frame. `gender` is "f" or "m".
    """

    path: str
    subject: str | None
    gender: str | None = None
    five_points: FivePoints | None = None
    box: Box | None = None
    labels: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class ScanRecord:
    """One scan: `path` is relative to the data set's root, with forward slashes. Unknown things are None.

    `expression` is a word ("neutral", "happy", ...), `intensity` 0 (none) to 4, `gender` "f" or "m".
    """

    path: str
    subject: str | None
    gender: str | None = None
    expression: str | None = None
    intensity: int | None = None
    labels: dict[str, str] = field(default_factory=dict[str, str])

"""Facts of a scan, and which unit its numbers seem to be in."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from models.types import Scan

UNITS_MM = {"millimetres": 1.0, "centimetres": 10.0, "inches": 25.4, "metres": 1000.0}
SMALLEST_MM, LARGEST_MM = 60.0, 600.0
"""The largest side of a face scan: a cropped child's face, a head with hair, neck and shoulders."""
TYPICAL_MM = 230.0


class ScanFacts(NamedTuple):
    """Counts, the sides of the bounding box in mm, and the unit that the numbers in the file seem to be in.

    Sides are those of the finite vertices. `unit` is a name of `UNITS_MM`, or "no face's size in any unit".
    """

    vertices: int
    triangles: int
    non_finite: int
    extent_x_mm: float
    extent_y_mm: float
    extent_z_mm: float
    unit: str


def scan_facts(scan: Scan, mm_per_unit: float) -> ScanFacts:
    """Facts of a scan as it is in its file; `mm_per_unit` is what a reader takes the file's unit to be."""
    finite = np.isfinite(scan.vertices).all(axis=1)
    x, y, z = _extents(scan.vertices[finite])
    sides = (x * mm_per_unit, y * mm_per_unit, z * mm_per_unit)
    return ScanFacts(len(scan.vertices), len(scan.triangles), int((~finite).sum()), *sides, seeming_unit(max(x, y, z)))


def seeming_unit(largest_side: float) -> str:
    """The unit in which a face scan of that largest side would be nearest to a typical one.

    Millimetres wherever they give the size of a face at all. A guess: 14 may be centimetres of a small face or inches
    of a head with shoulders.
    """
    if SMALLEST_MM <= largest_side <= LARGEST_MM:
        return "millimetres"
    fitting = {
        name: largest_side * mm for name, mm in UNITS_MM.items() if SMALLEST_MM <= largest_side * mm <= LARGEST_MM
    }
    if not fitting:
        return "no face's size in any unit"
    return min(fitting, key=lambda name: abs(math.log(fitting[name] / TYPICAL_MM)))


def _extents(vertices: Float32[ndarray, "n 3"]) -> tuple[float, float, float]:
    if not len(vertices):
        return 0.0, 0.0, 0.0
    x, y, z = np.ptp(vertices.astype(np.float64), axis=0).tolist()
    return x, y, z

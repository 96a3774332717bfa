"""Fast, strict parsing of long number lists, and of polygons into triangles."""

import warnings

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from models.errors import ScanError
from models.readers.limits import MAX_COUNT

_COMMAS_TO_SPACES = bytes.maketrans(b",", b" ")
# the widest thing a list holds: a vertex with normal and colour
_MAX_NUMBERS = 12 * MAX_COUNT


def parse_floats(text: bytes, what: str, where: str) -> Float64[ndarray, " n"]:
    """Numbers separated by white space or commas; `ScanError` on anything else."""
    return _parse(text, np.dtype(np.float64), what, where)


def parse_integers(text: bytes, what: str, where: str) -> Int64[ndarray, " n"]:
    """Decimal integers separated by white space or commas; `ScanError` on anything else."""
    return _parse(text, np.dtype(np.int64), what, where)


def _parse(text: bytes, kind: np.dtype, what: str, where: str) -> ndarray:
    plain = text.translate(_COMMAS_TO_SPACES)
    words = _count_words(plain)
    if words > _MAX_NUMBERS:
        raise ScanError(f"{where}: {words} numbers in {what}, more than {_MAX_NUMBERS}: decimate the mesh first")
    if words == 0:
        return np.empty(0, kind)
    try:
        with warnings.catch_warnings():
            # older numpy warns about a torn list where newer raises
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(plain.decode("ascii"), dtype=kind, sep=" ")
    except (ValueError, DeprecationWarning):
        raise ScanError(f"{where}: {what} holds something that is not a number: the file is damaged") from None
    if len(values) != words:
        raise ScanError(f"{where}: {what} holds two numbers that run together: the file is damaged")
    return values


def _count_words(text: bytes) -> int:
    """How many runs of visible characters there are."""
    visible = np.frombuffer(b" " + text, np.uint8) > 32
    return int(np.count_nonzero(visible[1:] & ~visible[:-1]))


def fan_triangles(corners: Int64[ndarray, " c"], sizes: Int64[ndarray, " p"]) -> Int64[ndarray, "m 3"]:
    """Split polygons into fans about their first corner; `sizes` (each 3 or more) add up to the corners."""
    if (sizes == 3).all():
        return corners.reshape(-1, 3)
    starts = np.cumsum(sizes) - sizes
    fans = sizes - 2
    first = np.repeat(starts, fans)
    step = np.arange(fans.sum()) - np.repeat(np.cumsum(fans) - fans, fans)
    return np.column_stack([corners[first], corners[first + step + 1], corners[first + step + 2]])

"""What the writers of all data sets share: a file gets the name that its reader understands, whole or not at all."""

from collections.abc import Callable, Mapping
from pathlib import Path

from infra.files import atomic_write_bytes
from models.errors import DataError


def write_named(
    root: Path,
    path: str,
    describe: Callable[[str], object | None],
    data: bytes,
    beside: Mapping[str, bytes] | None = None,
) -> str:
    """Write `data` to `path` below `root`; returns `path`.

    `describe` is the data set's own reading of names. `beside` holds companion files by their ending; they go first,
    so that a file that is there always has them. Raises `DataError` when `describe` does not know the name.
    """
    if describe(path) is None:
        raise DataError(f"{path}: not a name this data set has: check the numbers and codes")
    for suffix, companion in (beside or {}).items():
        atomic_write_bytes((root / path).with_suffix(suffix), companion)
    atomic_write_bytes(root / path, data)
    return path


def require_jpeg(data: bytes, where: str) -> bytes:
    """The same bytes; raises `DataError` when they are no JPEG."""
    if not data.startswith(b"\xff\xd8"):
        raise DataError(f"{where}: not a JPEG: encode it first")
    return data

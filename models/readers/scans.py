"""One door to every scan format: `read_scan` picks the reader by extension."""

from collections.abc import Callable
from pathlib import Path

from models.errors import ScanError, UnknownPlugin
from models.plugins import Catalogue
from models.readers.abs_grid import read_abs
from models.readers.bnt_grid import read_bnt
from models.readers.listing import suffix_of
from models.readers.mesh_file import read_off, read_ply, read_stl
from models.readers.obj import read_obj
from models.readers.units import in_millimetres
from models.readers.vrml import read_vrml
from models.types import Scan

ScanReader = Callable[[Path], Scan]

scan_readers: Catalogue[ScanReader] = Catalogue("scan reader")
scan_readers.add("abs")(read_abs)
scan_readers.add("abs.gz")(read_abs)
scan_readers.add("bnt")(read_bnt)
scan_readers.add("obj")(read_obj)
scan_readers.add("off")(read_off)
scan_readers.add("ply")(read_ply)
scan_readers.add("stl")(read_stl)
scan_readers.add("wrl")(read_vrml)

IN_MILLIMETRES = frozenset({"abs", "abs.gz", "bnt"})
"""Formats whose numbers are mm by definition."""


def read_scan(path: Path) -> Scan:
    """Any scan file in the camera frame, mm; where its format leaves the unit open, `to_millimetres` guesses it.

    The file's axes are taken as x right, y up, z towards the viewer, which is how face scanners store them.
    Raises `ScanError` on an unknown extension, a missing or damaged file, or counts beyond the limits.
    """
    try:
        kind = suffix_of(path.name).lstrip(".")
        reader = scan_readers[kind]
    except UnknownPlugin:
        raise ScanError(f"{path}: not a scan; {', '.join(scan_readers)} are read") from None
    scan = reader(path)
    return scan if kind in IN_MILLIMETRES else in_millimetres(scan, str(path))

"""One door to every scan format: `read_scan` picks the reader by extension."""

from collections.abc import Callable
from pathlib import Path

from models.errors import ScanError, UnknownPlugin
from models.plugins import Catalogue
from models.readers.mesh_file import read_off, read_ply, read_stl
from models.readers.obj import read_obj
from models.readers.units import in_millimetres
from models.readers.vrml import read_vrml
from models.types import Scan

ScanReader = Callable[[Path], Scan]

scan_readers: Catalogue[ScanReader] = Catalogue("scan reader")
scan_readers.add("obj")(read_obj)
scan_readers.add("off")(read_off)
scan_readers.add("ply")(read_ply)
scan_readers.add("stl")(read_stl)
scan_readers.add("wrl")(read_vrml)


def read_scan(path: Path) -> Scan:
    """Any scan file in the camera frame, mm; the unit is guessed by `to_millimetres`.

    The file's axes are taken as x right, y up, z towards the viewer, which is how face scanners store them.
    Raises `ScanError` on an unknown extension, a missing or damaged file, or counts beyond the limits.
    """
    try:
        reader = scan_readers[path.suffix.lower().lstrip(".")]
    except UnknownPlugin as error:
        raise ScanError(f"{path}: {error}") from None
    return in_millimetres(reader(path), str(path))

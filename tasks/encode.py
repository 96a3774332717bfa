"""One scan to its range image and normal component images, with what cleaning did."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from infra.files import atomic_write_bytes
from models.errors import ScanError
from models.geometry.canonical import canonical_range_image
from models.geometry.cleaning import CleaningReport
from models.geometry.encoding import encode_normals
from models.geometry.normals import plane_fit_normals
from models.geometry.range_image import Grid
from models.geometry.template import Template, template_from
from models.morphable.builtin import load_face
from models.readers.scans import read_scan
from models.types import RangeImage, Scan
from tasks.files import save_array, write_json
from tasks.reconstruct import png

GRID = Grid(224, 224, 0.8)
RADIUS_MM = 90.0


class Encoded(NamedTuple):
    """A cleaned, upright scan as a range image, its depth as grey, Nx, Ny, Nz as bytes, and what cleaning did."""

    image: RangeImage
    depth: UInt8[ndarray, "h w"]
    planes: UInt8[ndarray, "3 h w"]
    report: CleaningReport

    def sheet(self) -> bytes:
        """A PNG in one row: depth, Nx, Ny, Nz."""
        return png(np.hstack([self.depth, *self.planes]))


def encoded(path: Path) -> Encoded:
    """Clean a scan, bring it upright and draw it; raises `ScanError` where it cannot be read or holds no face."""
    face = load_face()
    image, report = _canonical(path, template_from(Scan(face.template, face.triangles)))
    return Encoded(image, _depth_picture(image), encode_normals(plane_fit_normals(image)), report)


def encode_scan(path: Path, out: Path) -> CleaningReport:
    """Write `range.npy` (h, w, 3; mm, NaN outside), `normals.npy` (3, h, w; bytes), pictures and `report.json`."""
    made = encoded(path)
    image, report = made.image, made.report
    save_array(out / "range.npy", np.where(image.valid[..., None], image.points, np.float32("nan")))
    save_array(out / "normals.npy", made.planes)
    for name, picture in zip(("range", "nx", "ny", "nz"), (made.depth, *made.planes), strict=True):
        atomic_write_bytes(out / f"{name}.png", png(picture))
    atomic_write_bytes(out / "sheet.png", made.sheet())
    write_json(out / "report.json", {**report._asdict(), "pose": report.pose._asdict()})
    return report


def _canonical(path: Path, template: Template) -> tuple[RangeImage, CleaningReport]:
    scan = read_scan(path)
    try:
        return canonical_range_image(scan, template, GRID, radius_mm=RADIUS_MM)
    except ScanError as error:
        raise ScanError(f"{path}: {error}") from None


def _depth_picture(image: RangeImage) -> UInt8[ndarray, "h w"]:
    """Depth as grey: the nose white, 100 mm behind it black."""
    depth = image.points[..., 2] - image.points[..., 2][image.valid].max()
    grey = np.where(image.valid, np.clip(255 + depth * 2.55, 1, 255), 0)
    return cv2.convertScaleAbs(grey)

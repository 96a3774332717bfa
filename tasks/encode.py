"""One scan to its range image and normal component images, with what cleaning did."""

from pathlib import Path

import numpy as np

from infra.files import atomic_write_bytes
from models.errors import ScanError
from models.geometry.canonical import CanonicalReport, canonical_range_image
from models.geometry.encoding import encode_normals
from models.geometry.normals import plane_fit_normals
from models.geometry.range_image import Grid
from models.geometry.template import Template, template_from
from models.morphable.builtin import load_face
from models.readers.scans import read_scan
from models.types import RangeImage, Scan
from tasks.figures import depth_picture
from tasks.files import save_array, write_json
from tasks.reconstruct import png

GRID = Grid(224, 224, 0.8)
RADIUS_MM = 90.0


def encode_scan(path: Path, out: Path) -> CanonicalReport:
    """Write `range.npy` (h, w, 3; mm, NaN outside), `normals.npy` (3, h, w; bytes), pictures and `report.json`."""
    face = load_face()
    template = template_from(Scan(face.template, face.triangles))
    image, report = _canonical(path, template)
    planes = encode_normals(plane_fit_normals(image))
    depth = depth_picture(image)
    save_array(out / "range.npy", np.where(image.valid[..., None], image.points, np.float32("nan")))
    save_array(out / "normals.npy", planes)
    for name, picture in zip(("range", "nx", "ny", "nz"), (depth, *planes), strict=True):
        atomic_write_bytes(out / f"{name}.png", png(picture))
    atomic_write_bytes(out / "sheet.png", png(np.hstack([depth, *planes])))
    write_json(out / "report.json", {**report._asdict(), "pose": report.pose._asdict()})
    return report


def _canonical(path: Path, template: Template) -> tuple[RangeImage, CanonicalReport]:
    scan = read_scan(path)
    try:
        return canonical_range_image(scan, template, GRID, radius_mm=RADIUS_MM)
    except ScanError as error:
        raise ScanError(f"{path}: {error}") from None

"""Meshes made elsewhere, one a photo, as a reconstructor: any other program's output enters the comparison."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import torch

from models.errors import ScanError
from models.geometry.canonical import canonical_range_image
from models.geometry.range_image import Grid
from models.geometry.template import Template, builtin_template
from models.readers.npz import read_npz
from models.readers.scans import read_scan
from models.readers.units import in_millimetres
from models.reconstructors.protocol import BATCH, FacePhoto, Outcome, Reconstruction, Reconstructor, require_meshes
from models.rendering.camera import rotation_from_angles
from models.types import Failure, Scan

KINDS = ("obj", "ply", "npz", "stl", "off", "wrl")
"""Formats looked for, the first one found is taken."""
LOOK = Grid(112, 112, 1.6)
LEAST_AGREEMENT = 0.4
"""With the template, from 0 to 1: heads reach 0.48 and more, balls and cylinders 0.31 at most."""
LEVEL_DEG, CENTRED_MM = 6.0, 10.0
"""A mesh this close to upright and to its nose tip at the origin is in the face frame by intent: it is left alone."""


@dataclass(frozen=True)
class ExternalMeshes:
    """A `Reconstructor` of meshes in `folder`, found under the relative path of their photo but for the extension."""

    folder: Path
    template: Template

    @property
    def space(self) -> None:
        """It gives no coefficients."""
        return

    def reconstruct(
        self,
        photos: Iterable[FacePhoto],
        device: torch.device,  # noqa: ARG002 - nothing is computed that a GPU would speed up
        batch_size: int = BATCH,  # noqa: ARG002 - one file at a time
    ) -> Iterator[Outcome]:
        """See `Reconstructor`. A photo without a mesh, or whose mesh is damaged or no face, is a failure."""
        for photo in photos:
            try:
                scan = upright(read_mesh(self._locate(photo.path)), self.template)
                yield Reconstruction(photo.path, scan.vertices, scan.triangles)
            except ScanError as error:
                yield Failure(photo.path, f"{photo.path}: {error}".replace(f"{self.folder}/", ""))

    def _locate(self, path: str) -> Path:
        """The file that belongs to a photo; raises `ScanError` when there is none."""
        relative = PurePosixPath(path)
        if relative.is_absolute() or ".." in relative.parts:
            raise ScanError("its path leaves the photos' folder, so no mesh can be told to be its own")
        for kind in KINDS:
            file = self.folder / relative.with_suffix(f".{kind}")
            if file.is_file():
                return file
        raise ScanError(f"no mesh {relative.with_suffix('')}.{{{','.join(KINDS)}}} in the folder of meshes")


def open_external(folder: Path | None) -> Reconstructor:
    """The meshes in `folder`; raises `ConfigurationError` when it is not there."""
    return ExternalMeshes(require_meshes("external", folder), builtin_template())


def read_mesh(file: Path) -> Scan:
    """A mesh of any of `KINDS` in mm; raises `ScanError`."""
    if file.suffix.lower() == ".npz":
        return in_millimetres(read_npz(file), str(file))
    return read_scan(file)


def upright(scan: Scan, template: Template) -> Scan:
    """The mesh in the face frame, moved only if it is not there already; raises `ScanError` on what is no face.

    The pose is the one that scan cleaning finds, so meshes from elsewhere stand as scans do.
    """
    _, report = canonical_range_image(scan, template, LOOK)
    if report.agreement < LEAST_AGREEMENT:
        raise ScanError(f"not a face: it agrees with one to {report.agreement:.2f}, {LEAST_AGREEMENT:g} is the least")
    rotation, place = rotation_from_angles(*report.pose[:3]), np.array(report.pose.translation_mm)
    turned_deg = np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
    if turned_deg <= LEVEL_DEG and np.linalg.norm(place) <= CENTRED_MM:
        return scan
    return replace(scan, vertices=((scan.vertices - place) @ rotation).astype(np.float32))

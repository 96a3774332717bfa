"""From any face scan to the one form that recognition sees: upright, nose tip in the middle, on the grid, masked.

Training meshes and raw scans take the same way, so that what the network learnt from the ones holds for the others.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from models.errors import ScanError
from models.geometry.alignment import IcpResult, Similarity, icp
from models.geometry.components import largest_component
from models.geometry.cropping import crop_sphere
from models.geometry.holes import fill_holes
from models.geometry.nose_tip import find_face_pose, refine_tip
from models.geometry.range_image import Grid, render_range_image
from models.geometry.spikes import remove_spikes
from models.geometry.template import Template
from models.rendering.camera import angles_from_rotation
from models.types import Pose, RangeImage, Scan, require_finite

__all__ = ["CanonicalReport", "Template", "canonical_range_image"]

SMALLEST_MM, LARGEST_MM = 60.0, 600.0
FEWEST_VERTICES = 400
MARGIN_MM = 10.0
TIP_REACH_MM = 15.0


class CanonicalReport(NamedTuple):
    """What every step did. `pose` is that of the face in the scan as given; `nose_tip` lies in that frame too, mm."""

    pieces: int
    removed_vertices: int
    bulges_tried: int
    agreement: float
    nose_tip: tuple[float, float, float]
    pose: Pose
    icp_rmse_mm: float
    icp_steps: int
    tip_shift_mm: float
    spikes: int
    holes: int
    hole_cells: int
    holes_left_open: int
    cells: int


def _require_face_sized(scan: Scan) -> None:
    if len(scan.vertices) < FEWEST_VERTICES:
        raise ScanError(f"scan: {len(scan.vertices)} vertices are too few for a face; at least {FEWEST_VERTICES}")
    require_finite(scan.vertices, "vertices", "scan")
    extent = float(np.ptp(scan.vertices, axis=0).max())
    if not SMALLEST_MM <= extent <= LARGEST_MM:
        raise ScanError(
            f"scan: {extent:.4g} mm across is no face; expected {SMALLEST_MM:g} to {LARGEST_MM:g} mm (check the unit)"
        )


def _register(upright: Scan, template: Template, worst_rmse_mm: float) -> IcpResult:
    """Fine ICP of a roughly upright scan, refused where it ends far from the template."""
    fit = icp(upright.vertices, template.points, template.normals)
    if not fit.rmse_mm <= worst_rmse_mm:
        raise ScanError(
            f"alignment: {fit.rmse_mm:.1f} mm from the template after ICP, more than {worst_rmse_mm:g}; not a face?"
        )
    return fit


def _centre_tip(scan: Scan) -> tuple[Scan, Float64[ndarray, " 3"]]:
    """Move the nose tip of an upright scan to the origin; the template's place for it where the scan shows no top."""
    near = scan.vertices[np.linalg.norm(scan.vertices, axis=1) < TIP_REACH_MM].astype(np.float64)
    tip = refine_tip(near) if len(near) else None
    shift = np.zeros(3) if tip is None else tip
    return _moved(scan, Similarity(np.eye(3), -shift, 1.0)), shift


def _moved(scan: Scan, motion: Similarity) -> Scan:
    return Scan(motion.apply(scan.vertices).astype(np.float32), scan.triangles)


def _masked(image: RangeImage, radius_mm: float) -> RangeImage:
    """Keep the cells within a ball about the nose tip."""
    inside = image.valid & (np.einsum("hwk,hwk->hw", image.points, image.points) <= radius_mm**2)
    return RangeImage(np.where(inside[..., None], image.points, np.float32(0)), inside)


def _pose(motion: Similarity) -> Pose:
    """Pose of the face in the scan, from the motion that brought the scan upright."""
    place = -motion.rotation.T @ motion.translation
    return Pose(*angles_from_rotation(motion.rotation.T), (float(place[0]), float(place[1]), float(place[2])))


def canonical_range_image(
    scan: Scan,
    template: Template,
    grid: Grid,
    *,
    radius_mm: float = 80.0,
    spike_mm: float = 6.0,
    largest_hole_cells: int = 400,
    worst_rmse_mm: float = 6.0,
) -> tuple[RangeImage, CanonicalReport]:
    """Largest piece, nose, crop, ICP to `template`, nose tip to the origin, grid, spikes, holes, ball of `radius_mm`.

    Size is kept. Raises `ScanError` on what is not a face-sized mesh, shows no nose, or does not fit the template.
    """
    _require_face_sized(scan)
    piece = largest_component(scan)
    found = find_face_pose(piece.scan, template)
    cropped = crop_sphere(_moved(piece.scan, found.motion), np.zeros(3), radius_mm + MARGIN_MM)
    if len(cropped.vertices) < FEWEST_VERTICES:
        raise ScanError(
            f"scan: {len(cropped.vertices)} vertices about the nose are too few; at least {FEWEST_VERTICES}"
        )
    fit = _register(cropped, template, worst_rmse_mm)
    centred, shift = _centre_tip(_moved(cropped, fit.motion))
    smooth = remove_spikes(render_range_image(centred, grid), spike_mm)
    whole = fill_holes(smooth.image, largest_hole_cells)
    image = _masked(whole.image, radius_mm)
    pose = _pose(Similarity(np.eye(3), -shift, 1.0).after(fit.motion.after(found.motion)))
    report = CanonicalReport(
        pieces=piece.pieces,
        removed_vertices=piece.removed_vertices,
        bulges_tried=found.bulges_tried,
        agreement=found.agreement,
        nose_tip=pose.translation_mm,
        pose=pose,
        icp_rmse_mm=fit.rmse_mm,
        icp_steps=fit.steps,
        tip_shift_mm=float(np.linalg.norm(shift)),
        spikes=smooth.removed,
        holes=whole.holes,
        hole_cells=whole.cells,
        holes_left_open=whole.left_open,
        cells=int(image.valid.sum()),
    )
    return image, report

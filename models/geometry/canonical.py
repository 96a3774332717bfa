"""From any face scan to the one form that recognition sees: upright, nose tip in the middle, on the grid, masked.

Training meshes and raw scans take the same way, so that what the network learnt from the ones holds for the others.
"""

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from models.errors import ScanError
from models.geometry.alignment import IcpResult, Similarity, icp
from models.geometry.cleaning import USUAL, Cleaning, CleaningReport
from models.geometry.components import largest_component
from models.geometry.cropping import crop_sphere
from models.geometry.holes import fill_holes
from models.geometry.nose_tip import find_face_pose, refine_tip
from models.geometry.range_image import Grid, render_range_image
from models.geometry.spikes import remove_spikes
from models.geometry.template import Template
from models.rendering.camera import angles_from_rotation
from models.types import Pose, RangeImage, Scan, require_finite


def _require_face_sized(scan: Scan, cleaning: Cleaning) -> None:
    if len(scan.vertices) < cleaning.fewest_vertices:
        raise ScanError(
            f"scan: {len(scan.vertices)} vertices are too few for a face; at least {cleaning.fewest_vertices}"
        )
    require_finite(scan.vertices, "vertices", "scan")
    extent = float(np.ptp(scan.vertices, axis=0).max())
    if not cleaning.smallest_mm <= extent <= cleaning.largest_mm:
        raise ScanError(
            f"scan: {extent:.4g} mm across is no face; "
            f"expected {cleaning.smallest_mm:g} to {cleaning.largest_mm:g} mm (check the unit)"
        )


def _crop(scan: Scan, radius_mm: float, fewest_vertices: int) -> Scan:
    """What lies about the nose, refused where that is too little."""
    cropped = crop_sphere(scan, np.zeros(3), radius_mm)
    if len(cropped.vertices) < fewest_vertices:
        raise ScanError(
            f"scan: {len(cropped.vertices)} vertices about the nose are too few; at least {fewest_vertices}"
        )
    return cropped


def _register(upright: Scan, template: Template, cleaning: Cleaning) -> IcpResult:
    """Fine ICP of a roughly upright scan, refused where it ends far from the template."""
    fit = icp(
        upright.vertices,
        template.points,
        template.normals,
        most_points=cleaning.icp_points,
        most_steps=cleaning.icp_steps,
        trim=cleaning.icp_trim,
        slack_mm=cleaning.icp_slack_mm,
    )
    if not fit.rmse_mm <= cleaning.worst_rmse_mm:
        raise ScanError(
            f"alignment: {fit.rmse_mm:.1f} mm from the template after ICP, "
            f"more than {cleaning.worst_rmse_mm:g}; not a face?"
        )
    return fit


def _summit(scan: Scan, reach_mm: float) -> Float64[ndarray, " 3"] | None:
    """The nose tip of an upright scan; None where it shows no top near the template's place for it."""
    near = scan.vertices[np.linalg.norm(scan.vertices, axis=1) < reach_mm].astype(np.float64)
    return refine_tip(near) if len(near) else None


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
    scan: Scan, template: Template, grid: Grid, *, radius_mm: float = 80.0, cleaning: Cleaning = USUAL
) -> tuple[RangeImage, CleaningReport]:
    """Largest piece, nose, crop, ICP to `template`, nose tip to the origin, grid, spikes, holes, ball of `radius_mm`.

    Size is kept. Raises `ScanError` on what is not a face-sized mesh, shows no nose, or does not fit the template.
    """
    _require_face_sized(scan, cleaning)
    piece = largest_component(scan)
    found = find_face_pose(piece.scan, template, cleaning.search())
    cropped = _crop(_moved(piece.scan, found.motion), radius_mm + cleaning.margin_mm, cleaning.fewest_vertices)
    fit = _register(cropped, template, cleaning)
    upright = _moved(cropped, fit.motion)
    summit = _summit(upright, cleaning.tip_reach_mm)
    shift = Similarity(np.eye(3), np.zeros(3) if summit is None else -summit, 1.0)
    smooth = remove_spikes(render_range_image(_moved(upright, shift), grid), cleaning.spike_mm)
    whole = fill_holes(smooth.image, cleaning.largest_hole_cells)
    image = _masked(whole.image, radius_mm)
    pose = _pose(shift.after(fit.motion.after(found.motion)))
    report = CleaningReport(
        vertices=len(scan.vertices),
        pieces=piece.pieces,
        removed_vertices=piece.removed_vertices,
        bulges_tried=found.bulges_tried,
        orientations_tried=found.orientations_tried,
        agreement=found.agreement,
        cropped_vertices=len(piece.scan.vertices) - len(cropped.vertices),
        icp_rmse_mm=fit.rmse_mm,
        icp_steps=fit.steps,
        icp_converged=fit.converged,
        tip_found=summit is not None,
        tip_shift_mm=float(np.linalg.norm(shift.translation)),
        nose_tip=pose.translation_mm,
        pose=pose,
        spikes=smooth.removed,
        holes=whole.holes,
        hole_cells=whole.cells,
        holes_left_open=whole.left_open,
        masked_cells=int(whole.image.valid.sum()) - int(image.valid.sum()),
        cells=int(image.valid.sum()),
    )
    return image, report

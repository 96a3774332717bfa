"""Which bulge of a scan is the nose, and how the head is turned: try each one against an upright face."""

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numpy import ndarray
from scipy.spatial.transform import Rotation

from models.errors import ScanError
from models.geometry.alignment import Similarity
from models.geometry.bulges import Bulge, Patches, find_bulges
from models.geometry.coarse_fit import CoarseFit, coarse_fit
from models.geometry.template import Template, builtin_template
from models.rendering.camera import rotation_from_angles
from models.types import Scan

AROUND_MM = 85.0
FACING_MM = 60.0
FEWEST_PATCHES = 60
SCAN_POINTS, TEMPLATE_POINTS = 150, 300
CLEARLY_BETTER = 0.1
"""What a view from another side must gain in agreement: half-hidden faces agree little from their own."""


class NoseSearch(NamedTuple):
    """How many bulges are tried, the agreement (0-1) that ends the search, how far from upright a face may be turned,
    and whether a scan that shows no convincing face is also looked at from other sides.

    Noses of real heads agree with the built-in face to 0.48 and more, chins, brows and collars to 0.36 and less.
    """

    most_bulges: int = 6
    convincing: float = 0.45
    most_turned_deg: float = 65.0
    any_orientation: bool = True


USUAL_SEARCH = NoseSearch()


class FacePose(NamedTuple):
    """The motion from the scan to the template, how well they then agree (0 to 1), how many bulges were tried, and
    from how many sides the scan was looked at.
    """

    motion: Similarity
    agreement: float
    bulges_tried: int
    orientations_tried: int = 1


def _turn_to_camera(direction: Float64[ndarray, " 3"]) -> Float64[ndarray, "3 3"]:
    """Rotation, without roll, that takes `direction` to +z: undo its yaw, then its pitch."""
    yaw = np.degrees(np.arctan2(direction[0], direction[2]))
    pitch = np.degrees(np.arctan2(direction[1], np.hypot(direction[0], direction[2])))
    return rotation_from_angles(float(pitch), 0.0, 0.0) @ rotation_from_angles(0.0, float(-yaw), 0.0)


def _coarse(template: Template) -> Patches:
    """A few hundred points of the template, from the part every face scan has."""
    central = np.linalg.norm(template.points, axis=1) < AROUND_MM
    points, normals = template.points[central], template.normals[central]
    chosen = slice(None, None, max(1, len(points) // TEMPLATE_POINTS))
    return Patches(points[chosen].astype(np.float64), normals[chosen].astype(np.float64))


def _fit_about(patches: Patches, bulge: Bulge, face: Patches, most_turned_deg: float) -> CoarseFit | None:
    """Fit the surface about a bulge, first turned to the camera; None for poses that nobody facing a camera takes."""
    distance = np.linalg.norm(patches.points - bulge.tip, axis=1)
    near = np.flatnonzero(distance < AROUND_MM)
    if len(near) < FEWEST_PATCHES:
        return None
    rotation = _turn_to_camera(patches.normals[distance < FACING_MM].sum(axis=0))
    chosen = near[:: max(1, len(near) // SCAN_POINTS)]
    fit = coarse_fit(patches.points[chosen], patches.normals[chosen], *face, rotation, -rotation @ bulge.tip)
    turned = np.degrees(np.arccos(np.clip((np.trace(fit.rotation) - 1) / 2, -1, 1)))
    return fit if turned < most_turned_deg else None


def find_face_pose(scan: Scan, template: Template, search: NoseSearch = USUAL_SEARCH) -> FacePose:
    """The pose under which the surface about one of the scan's bulges agrees with `template` best.

    A scan whose best bulge does not convince is turned about, until one clearly does: scanners' axes are not always
    ours. Where none does, the best of the scan as given counts. Raises `ScanError` where no bulge has enough surface.
    """
    face = _coarse(template)
    given = _search(scan, face, search)
    if search.any_orientation and (given is None or given.agreement <= search.convincing):
        needed = max(search.convincing, CLEARLY_BETTER + (given.agreement if given else 0.0))
        for tried, turn in enumerate(_orientations(), start=2):
            found = _search(Scan((scan.vertices @ turn.T).astype(np.float32), scan.triangles), face, search)
            if found is not None and found.agreement > needed:
                motion = found.motion.after(Similarity(turn, np.zeros(3), 1.0))
                return found._replace(motion=motion, orientations_tried=tried)
    if given is None:
        raise ScanError("nose tip: nothing bulges towards the camera as a face does; does the scan look along +z?")
    return given


def _search(scan: Scan, face: Patches, search: NoseSearch) -> FacePose | None:
    """The best bulge of a scan as it is turned; the first one that convinces ends the search."""
    patches, bulges = find_bulges(scan, search.most_bulges)
    best, tried = None, 0
    for bulge in bulges:
        tried += 1
        fit = _fit_about(patches, bulge, face, search.most_turned_deg)
        if fit is not None and (best is None or fit.agreement > best.agreement):
            best = fit
        if best is not None and best.agreement > search.convincing:
            break
    return best and FacePose(Similarity(best.rotation, best.translation, 1.0), best.agreement, tried)


@cache
def _orientations() -> tuple[Float64[ndarray, "3 3"], ...]:
    """The other 59 rotations of an icosahedron, small ones first: no rotation is more than 45 degrees from all."""
    group = Rotation.create_group("I")
    order = np.argsort(group.magnitude(), kind="stable")
    return tuple(group[int(number)].as_matrix() for number in order[1:])


def refine_tip(points: Float64[ndarray, "n 3"]) -> Float64[ndarray, " 3"] | None:
    """Top of the paraboloid through the `points` of an upright face near its nose tip; None where there is no top."""
    top = points[np.argmax(points[:, 2] - 0.02 * np.hypot(points[:, 0], points[:, 1]))]
    near = points[np.linalg.norm(points - top, axis=1) < 9.0]
    if len(near) < 8:
        return None
    x, y = near[:, 0] - top[0], near[:, 1] - top[1]
    rows = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    level, by_x, by_y, xx, xy, yy = np.linalg.lstsq(rows, near[:, 2], rcond=None)[0]
    if not (xx < 0 and 4 * xx * yy > xy * xy):
        return None
    at_x, at_y = np.linalg.solve([[2 * xx, xy], [xy, 2 * yy]], [-by_x, -by_y])
    if np.hypot(at_x, at_y) > 6.0:
        return None
    height = level + 0.5 * (by_x * at_x + by_y * at_y)
    return np.array([top[0] + at_x, top[1] + at_y, height])


def find_nose_tip(scan: Scan) -> Float64[ndarray, " 3"]:
    """Tip of the nose (camera frame, mm) of a head within about 30 degrees of upright and facing the camera.

    The tip is where the head, once upright, reaches farthest forward. Raises `ScanError` where there is no face.
    """
    pose = find_face_pose(scan, builtin_template())
    upright = pose.motion.apply(scan.vertices)
    near = upright[np.linalg.norm(upright, axis=1) < 15]
    tip = refine_tip(near) if len(near) else None
    inverse = pose.motion.rotation.T
    return inverse @ ((np.zeros(3) if tip is None else tip) - pose.motion.translation)

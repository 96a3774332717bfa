"""What tells one laboratory's range images from another's, beside the faults that all scanners have."""

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

from models.types import RangeImage


def fit_grid(image: RangeImage, rows: int, columns: int) -> RangeImage:
    """The image in the middle of a grid of that size: cells beyond it are lost, cells around it hold nothing."""
    height, width = image.valid.shape
    top, left = (rows - height) // 2, (columns - width) // 2
    points = np.zeros((rows, columns, 3), dtype=np.float32)
    valid = np.zeros((rows, columns), dtype=bool)
    into = np.s_[max(top, 0) : top + height, max(left, 0) : left + width]
    out_of = np.s_[max(-top, 0) : max(-top, 0) + rows, max(-left, 0) : max(-left, 0) + columns]
    points[into], valid[into] = image.points[out_of], image.valid[out_of]
    return RangeImage(points, valid)


def moved(image: RangeImage, offset_mm: Float[ndarray, " 3"]) -> RangeImage:
    """The same surface elsewhere."""
    shifted = image.points + offset_mm.astype(np.float32)
    return RangeImage(np.where(image.valid[..., None], shifted, np.float32(0)), image.valid)


def smoothed(image: RangeImage, sigma_cells: float) -> RangeImage:
    """Depth as stereo matches it, averaged over a window: fine relief goes, noise becomes waves. 0 changes nothing."""
    if sigma_cells == 0:
        return image
    weight = cv2.GaussianBlur(image.valid.astype(np.float32), (0, 0), sigma_cells)
    total = cv2.GaussianBlur(np.where(image.valid, image.points[..., 2], np.float32(0)), (0, 0), sigma_cells)
    points = image.points.copy()
    points[image.valid, 2] = (total / np.maximum(weight, np.float32(1e-6)))[image.valid]
    return RangeImage(points, image.valid)


def covered(image: RangeImage, centre: Float[ndarray, " 3"], radius_mm: float, height_mm: float) -> RangeImage:
    """Something round, a hand or hair, before the face: a dome about `centre` that hides what lies below it."""
    inside, share = _within(image, centre, radius_mm)
    dome = centre[2] + height_mm * np.sqrt(np.clip(1 - share**2, 0, 1))
    points = image.points.copy()
    points[inside, 2] = np.maximum(points[inside, 2], dome[inside].astype(np.float32))
    return RangeImage(points, image.valid)


def lost(image: RangeImage, centre: Float[ndarray, " 3"], radius_mm: float) -> RangeImage:
    """Nothing comes back from about `centre`, as from behind glasses."""
    valid = image.valid & ~_within(image, centre, radius_mm)[0]
    return RangeImage(np.where(valid[..., None], image.points, np.float32(0)), valid)


def _within(
    image: RangeImage, centre: Float[ndarray, " 3"], radius_mm: float
) -> tuple[Bool[ndarray, "h w"], Float32[ndarray, "h w"]]:
    """Cells that lie within a circle on screen, and their distance as a share of its radius."""
    away = np.hypot(image.points[..., 0] - centre[0], image.points[..., 1] - centre[1]) / radius_mm
    return image.valid & (away < 1), away.astype(np.float32)

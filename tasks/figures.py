"""Pictures of a run: photo to mesh to normals, and the CMC curves."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy import ndarray

from infra.files import atomic_write_bytes
from models.geometry.range_image import Grid, render_range_image
from models.metrics.benchmark import Scores
from models.morphable.model import MorphableModel
from models.reconstructors.pictures import shaded_face
from models.types import RangeImage, Scan

GALLERY_GRID = Grid(112, 112, 1.5)
COLUMNS = ("photo, aligned", "reconstructed", "range image", "Nx", "Ny", "Nz")


def gallery_picture(
    path: Path,
    crops: Sequence[UInt8[ndarray, "3 s s"]],
    faces: Sequence[Float32[ndarray, "n 3"]],
    normals: Sequence[UInt8[ndarray, "3 h w"]],
    model: MorphableModel,
) -> None:
    """One row a photo: the crop, its mesh, its range image, and its three normal component images."""
    figure = Figure(figsize=(2 * len(COLUMNS), 2.05 * len(crops)))
    for row, (crop, vertices, planes) in enumerate(zip(crops, faces, normals, strict=True)):
        mesh = shaded_face(vertices, model.triangles, GALLERY_GRID)
        middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
        depth = depth_picture(render_range_image(Scan(vertices - middle, model.triangles), GALLERY_GRID))
        for column, picture in enumerate((crop.transpose(1, 2, 0), mesh, depth, *planes)):
            axes = figure.add_subplot(len(crops), len(COLUMNS), row * len(COLUMNS) + column + 1)
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
            axes.set_axis_off()
            if row == 0:
                axes.set_title(COLUMNS[column], fontsize=10)
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.95, 0.03, 0.03)
    save_figure(figure, path)


def cmc_picture(path: Path, scores: Mapping[str, Scores], title: str) -> None:
    """The share of probes whose subject is among the first k, for every variant."""
    figure = Figure(figsize=(6, 4))
    axes = figure.add_subplot()
    for name, result in scores.items():
        ranks = np.arange(1, len(result.cmc) + 1)
        axes.plot(ranks, 100 * np.array(result.cmc), marker=".", label=f"{name}: rank-1 {100 * result.fused:.1f} %")
    axes.set(xlabel="rank", ylabel="identified, %", title=title)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.tight_layout()
    save_figure(figure, path)


def depth_picture(image: RangeImage) -> UInt8[ndarray, "h w"]:
    """Depth as grey: the nose white, 100 mm behind it black."""
    depth = image.points[..., 2] - image.points[..., 2][image.valid].max()
    grey = np.where(image.valid, np.clip(255 + depth * 2.55, 1, 255), 0)
    return cv2.convertScaleAbs(grey)


def save_figure(figure: Figure, path: Path) -> None:
    """A PNG file."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    atomic_write_bytes(path, buffer.getvalue())

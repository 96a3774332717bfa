"""A sheet of faces: photos down, reconstructors across."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy import ndarray

from models.geometry.range_image import Grid
from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.pictures import shaded_face
from models.reconstructors.protocol import FacePhoto, Reconstruction
from tasks.build_faces import face_photos
from tasks.faces import Faces
from tasks.figures import save_figure

SHEET_GRID = Grid(128, 128, 1.35)


def variant_sheet(path: Path, variants: Sequence[Faces], photos: int) -> None:
    """Some photos of the first shard, and the face that each reconstructor makes of them; a blank where it fails."""
    columns = [(each.variant.name, _faces(each, photos)) for each in variants]
    chosen = _chosen(variants[0], photos)
    figure = Figure(figsize=(1.6 * (1 + len(columns)), 1.68 * len(chosen)))
    for row, photo in enumerate(chosen):
        cells = [("photo", _picture(photo)), *((name, made[row]) for name, made in columns)]
        for place, (title, picture) in enumerate(cells):
            axes = figure.add_subplot(len(chosen), len(cells), row * len(cells) + place + 1)
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
            axes.set_axis_off()
            if row == 0:
                axes.set_title(title, fontsize=9)
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.97, 0.03, 0.03)
    save_figure(figure, path)


def _chosen(faces: Faces, photos: int) -> list[FacePhoto]:
    landmarks = faces.landmarks[0].path if faces.landmarks else None
    known = list(face_photos(faces.root, faces.crops.shards[0].path, faces.pixels, landmarks))
    places = np.linspace(0, len(known) - 1, min(photos, len(known))).astype(int)
    return [known[place] for place in places]


def _faces(faces: Faces, photos: int) -> list[ndarray]:
    reconstructor = open_reconstructor(faces.variant.name, faces.variant.folder)
    blank = np.full((SHEET_GRID.height, SHEET_GRID.width), 255, np.uint8)
    outcomes = reconstructor.reconstruct(_chosen(faces, photos), torch.device("cpu"))
    return [
        shaded_face(made.vertices, made.triangles, SHEET_GRID) if isinstance(made, Reconstruction) else blank
        for made in outcomes
    ]


def _picture(photo: FacePhoto) -> ndarray:
    crop = photo.aligned(min(photo.pixels.shape[0], 224)).pixels
    return cv2.resize(crop, (SHEET_GRID.width, SHEET_GRID.height), interpolation=cv2.INTER_AREA)

"""Any photos to 3D faces on disk: mesh, coefficients, picture of the normals; a failure is a row."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from infra.files import atomic_write_bytes
from infra.store import Artefact
from models.errors import AssetMissing, DataError, PhotoError
from models.geometry.range_image import Grid, render_range_image
from models.morphable.builtin import load_face
from models.photos.alignment import align_photo
from models.photos.analysis import analyse, load_face_nets
from models.photos.decoding import read_photo
from models.readers.folder import PHOTO_SUFFIXES, index_photos
from models.readers.meshes_out import write_obj
from models.reconstructors.encoding import face_footprint, normal_bytes
from models.reconstructors.expnet import ExpNet, mesh
from models.reconstructors.pictures import shaded_face
from models.reconstructors.stored import crop_pixels, load_expnet
from models.training.device import pick_device
from models.types import Coefficients, Failure, Scan
from tasks.files import read_json, write_json, write_table
from tasks.progress import track
from tasks.wiring import open_workspace

BATCH = 32
PICTURE_GRID = Grid(112, 112, 1.45)
PICTURE_RADIUS_MM = 90.0


class Reconstructed(NamedTuple):
    """What a batch of photos came to, and which network made it."""

    faces: int
    failures: list[Failure]
    network: Artefact


def best_expnet() -> Artefact:
    """The trained ExpNet with the smallest held-out error in this home; raises `AssetMissing` when there is none."""
    trained = list(open_workspace().store.artefacts("expnet"))
    if not trained:
        raise AssetMissing("no reconstructor is trained in this home folder; run `trinormal demo` once")
    return min(trained, key=lambda made: float(read_json(made.path / "error.json")["neutral_mm"]))


def reconstruct_photos(source: Path, out: Path) -> Reconstructed:
    """Mesh, coefficients and picture of every photo at `source` (a file or a folder), below `out`.

    `faces.csv` lists what was made and `failures.csv` what was not, with reasons. Memory does not grow with the photos.
    """
    root, paths = _photos(source)
    made = best_expnet()
    network = load_expnet(made.path)
    faces: list[tuple[str, str]] = []
    failures: list[Failure] = []
    blocks = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    for block in track(blocks, "reconstruct photos"):
        crops = list(_crops(root, block, crop_pixels(made.path), failures))
        faces.extend(_write_faces(out, network, crops))
    write_table(out / "faces.csv", ("photo", "mesh"), faces)
    write_table(out / "failures.csv", Failure._fields, failures)
    return Reconstructed(len(faces), failures, made)


def _photos(source: Path) -> tuple[Path, list[str]]:
    if source.is_file():
        if source.suffix.lower() not in PHOTO_SUFFIXES:
            raise DataError(f"{source}: not a photo; {', '.join(sorted(PHOTO_SUFFIXES))} are read")
        return source.parent, [source.name]
    if not source.exists():
        raise DataError(f"{source}: no such photo or folder")
    return source, [record.path for record in index_photos(source)]


def _crops(
    root: Path, paths: list[str], pixels: int, failures: list[Failure]
) -> Iterator[tuple[str, UInt8[ndarray, "s s 3"]]]:
    nets = load_face_nets(open_workspace().settings.assets)
    for path in paths:
        try:
            photo = read_photo(root / path)
            points = analyse(photo, nets.detector, nets.landmarks).points
            yield path, align_photo(photo, points, pixels).pixels
        except PhotoError as error:
            failures.append(Failure(path, str(error).replace(f"{root}/", "")))


def _write_faces(
    out: Path, network: ExpNet, crops: list[tuple[str, UInt8[ndarray, "s s 3"]]]
) -> Iterator[tuple[str, str]]:
    if not crops:
        return
    stack = np.stack([crop.transpose(2, 0, 1) for _, crop in crops])
    found = network.coefficients(stack, pick_device(open_workspace().settings.device))
    for (path, crop), coefficients in zip(crops, found, strict=True):
        target = out / Path(path).with_suffix("")
        surface = mesh(network.face, coefficients)
        atomic_write_bytes(target.with_suffix(".obj"), write_obj(surface))
        write_json(target.with_suffix(".json"), _as_data(coefficients))
        atomic_write_bytes(target.with_suffix(".png"), face_sheet(crop, surface))
        yield path, str(target.with_suffix(".obj").relative_to(out))


def face_sheet(crop: UInt8[ndarray, "s s 3"], surface: Scan) -> bytes:
    """A PNG in one row: the aligned photo, its mesh, Nx, Ny, Nz."""
    size = PICTURE_GRID.height
    photo = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA if len(crop) > size else cv2.INTER_CUBIC)
    footprint = face_footprint(load_face(), PICTURE_GRID, PICTURE_RADIUS_MM, erode=0)
    planes = normal_bytes(render_range_image(surface, PICTURE_GRID), footprint)
    greys = [shaded_face(surface.vertices, surface.triangles, PICTURE_GRID), *planes]
    row = np.hstack([photo, *(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB) for grey in greys)])
    return png(row)


def png(picture: ndarray) -> bytes:
    """A PNG file of an RGB or grey picture."""
    ordered = picture[..., ::-1] if picture.ndim == 3 else picture
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(ordered))
    return encoded.tobytes()


def _as_data(coefficients: Coefficients) -> dict[str, object]:
    pose = coefficients.pose
    return {
        "space": coefficients.space,
        "identity": [round(float(value), 5) for value in coefficients.identity],
        "expression": [round(float(value), 5) for value in coefficients.expression],
        "pose": None if pose is None else pose._asdict(),
    }

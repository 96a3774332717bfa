"""Any photos to 3D faces on disk: mesh, coefficients, picture of the normals; a failure is a row."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from infra.files import atomic_write_bytes
from models.errors import DataError, PhotoError
from models.geometry.holes import fill_holes
from models.geometry.range_image import Grid, render_range_image
from models.morphable.builtin import load_face
from models.photos.analysis import analyse, load_face_nets
from models.photos.decoding import read_photo
from models.readers.folder import PHOTO_SUFFIXES, index_photos
from models.readers.meshes_out import write_obj
from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.encoding import LARGEST_HOLE_CELLS, face_footprint, normal_bytes
from models.reconstructors.pictures import shaded_face
from models.reconstructors.protocol import FacePhoto, Reconstruction, from_analysis
from models.training.device import pick_device
from models.types import Coefficients, Failure, Scan
from tasks.files import write_json, write_table
from tasks.generate import expression_generator
from tasks.progress import track
from tasks.stored import stored_variant
from tasks.wiring import open_workspace

BATCH = 32
PICTURE_GRID = Grid(112, 112, 1.45)
PICTURE_RADIUS_MM = 90.0


class Reconstructed(NamedTuple):
    """What a batch of photos came to, and by what."""

    faces: int
    failures: list[Failure]
    network: str


def reconstruct_photos(
    source: Path, out: Path, name: str = "expnet", folder: Path | None = None, augment: int = 0
) -> Reconstructed:
    """Mesh, coefficients and picture of every photo at `source` (a file or a folder), below `out`.

    `name` is a reconstructor, see `stored_variant`; `augment` more faces of each person with other expressions are made
    by one that can (`<photo>_1.obj`, ...), else `ConfigurationError`. `faces.csv` lists what was made and
    `failures.csv` what was not, with reasons. Memory does not grow with the photos.
    """
    root, paths = _photos(source)
    variant = stored_variant(name, folder)
    reconstructor = open_reconstructor(variant.name, variant.folder)
    generate = expression_generator(variant) if augment else None
    faces: list[tuple[str, str]] = []
    failures: list[Failure] = []
    device = pick_device(open_workspace().settings.device)
    seen: dict[str, FacePhoto] = {}
    for outcome in reconstructor.reconstruct(_analysed(root, paths, failures, seen), device, BATCH):
        photo = seen.pop(outcome.path)
        if not isinstance(outcome, Reconstruction):
            failures.append(Failure(outcome.path, outcome.reason.replace(f"{root}/", "")))
            continue
        faces.append((outcome.path, _write_face(out, photo, outcome)))
        if generate is not None:
            faces.extend(_write_more(out, outcome, generate(outcome, augment, device)))
    write_table(out / "faces.csv", ("photo", "mesh"), faces)
    write_table(out / "failures.csv", Failure._fields, failures)
    made_by = variant.name if variant.artefact is None else f"{variant.name} {variant.artefact.key[:12]}"
    return Reconstructed(sum(1 for _ in faces), failures, made_by)


def _photos(source: Path) -> tuple[Path, list[str]]:
    if source.is_file():
        if source.suffix.lower() not in PHOTO_SUFFIXES:
            raise DataError(f"{source}: not a photo; {', '.join(sorted(PHOTO_SUFFIXES))} are read")
        return source.parent, [source.name]
    if not source.exists():
        raise DataError(f"{source}: no such photo or folder")
    return source, [record.path for record in index_photos(source)]


def _analysed(root: Path, paths: list[str], failures: list[Failure], seen: dict[str, FacePhoto]) -> Iterator[FacePhoto]:
    """Photos with a face found in each; `seen` keeps those on their way, `failures` gets the others."""
    nets = load_face_nets(open_workspace().settings.assets)
    for path in track(paths, "reconstruct photos"):
        try:
            photo = read_photo(root / path)
            seen[path] = from_analysis(photo, analyse(photo, nets.detector, nets.landmarks), path)
        except PhotoError as error:
            failures.append(Failure(path, str(error).replace(f"{root}/", "")))
            continue
        yield seen[path]


def _write_face(out: Path, photo: FacePhoto, made: Reconstruction) -> str:
    target = out / Path(made.path).with_suffix("")
    atomic_write_bytes(target.with_suffix(".obj"), write_obj(made.scan()))
    write_json(target.with_suffix(".json"), _as_data(made.coefficients))
    crop = photo.aligned(PICTURE_GRID.height).pixels
    atomic_write_bytes(target.with_suffix(".png"), face_sheet(crop, made.scan()))
    return str(target.with_suffix(".obj").relative_to(out))


def _write_more(out: Path, made: Reconstruction, generated: list[Reconstruction]) -> Iterator[tuple[str, str]]:
    """Faces made up from one photo's, beside its own."""
    for number, each in enumerate(generated, start=1):
        path = Path(made.path)
        target = out / path.with_name(f"{path.stem}_{number}.obj")
        atomic_write_bytes(target, write_obj(each.scan()))
        write_json(target.with_suffix(".json"), _as_data(each.coefficients))
        yield made.path, str(target.relative_to(out))


def face_sheet(crop: UInt8[ndarray, "s s 3"], surface: Scan) -> bytes:
    """A PNG in one row: the aligned photo, its mesh, Nx, Ny, Nz."""
    size = PICTURE_GRID.height
    photo = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA if len(crop) > size else cv2.INTER_CUBIC)
    footprint = face_footprint(load_face(), PICTURE_GRID, PICTURE_RADIUS_MM, erode=0)
    image = fill_holes(render_range_image(surface, PICTURE_GRID), LARGEST_HOLE_CELLS).image
    planes = normal_bytes(image, footprint)
    greys = [shaded_face(surface.vertices, surface.triangles, PICTURE_GRID), *planes]
    row = np.hstack([photo, *(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB) for grey in greys)])
    return png(row)


def png(picture: ndarray) -> bytes:
    """A PNG file of an RGB or grey picture."""
    ordered = picture[..., ::-1] if picture.ndim == 3 else picture
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(ordered))
    return encoded.tobytes()


def _as_data(known: Coefficients | None) -> dict[str, object] | None:
    """Coefficients as JSON; meshes made elsewhere have none."""
    if known is None:
        return None
    parts = {"identity": known.identity, "expression": known.expression, "texture": known.texture, "light": known.light}
    numbers = {name: np.round(values.astype(float), 5).tolist() for name, values in parts.items() if values is not None}
    return {"space": known.space, **numbers, "pose": None if known.pose is None else known.pose._asdict()}

"""The Basel Face Model 2009 with an expression basis, for those who hold its licence (Paysan et al., AVSS 2009).

Identity and texture come from the model itself, expression from FaceWarehouse as Guo et al. (TPAMI 2019) carried it
over; both are cut to the 35,709 vertices of the face that R-Net works on (Deng et al., CVPRW 2019).
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32, Int64
from numpy import ndarray

from models.errors import ArtefactError, AssetMissing, ConfigurationError
from models.morphable.basel_files import (
    BFM_2009,
    DEVIATIONS,
    EXPRESSIONS,
    FRONT,
    INFO,
    MODEL,
    TRIMMED,
    BaselCounts,
    inspect_basel,
    read_arrays,
)
from models.morphable.model import MorphableModel

NAME = "basel-2009"
LICENCE = "Basel Face Model licence: non-commercial research, never passed on"
MICROMETRES = 1000.0
NOSE_TIP, CHIN, LEFT_EYE, RIGHT_EYE = 30, 8, 36, 45


def load_basel(
    folder: Path, identity: int = 80, expression: int = 64, texture: int = 80, counts: BaselCounts = BFM_2009
) -> MorphableModel:
    """The face model of paper B out of the files in `folder`; see `inspect_basel` for which.

    Its albedo is taken as linear, as R-Net's public code does. Raises `AssetMissing` when a file is missing or wrong,
    `ArtefactError` when its numbers are, and `ConfigurationError` when more components are asked for than there are.
    """
    _require_files(folder, counts)
    if identity > counts.components or texture > counts.components or expression > counts.expressions:
        raise ConfigurationError(
            f"{NAME} has {counts.components} identity and texture and {counts.expressions} expression components; "
            f"{identity}, {texture} and {expression} were asked for"
        )
    front, kept = _selection(folder, counts)
    model, info = read_arrays(folder / MODEL, counts), read_arrays(folder / INFO, counts)
    landmarks = _indices(info["keypoints"], counts.front, f"{folder / INFO}: keypoints")
    mean = _vertices(model["shapeMU"], kept)[0] / MICROMETRES
    template = (mean - mean[landmarks[NOSE_TIP]]).astype(np.float32)
    triangles = _indices(info["tri"], counts.front, f"{folder / INFO}: tri").reshape(-1, 3)
    _require_frame(template, landmarks, folder)
    return MorphableModel(
        space=f"{NAME}/id{identity}/exp{expression}",
        template=template,
        triangles=_outwards(template, triangles),
        identity_basis=_scaled(model, "shape", kept, identity) / np.float32(MICROMETRES),
        expression_basis=_expressions(folder, counts)[:expression][:, front] / np.float32(MICROMETRES),
        landmarks68=landmarks.astype(np.int32),
        nose_tip=int(landmarks[NOSE_TIP]),
        texture_mean=_vertices(model["texMU"], kept)[0] / np.float32(255),
        texture_basis=_scaled(model, "tex", kept, texture) / np.float32(255),
        masks={"skin_photometric": info["skinmask"].ravel().astype(np.float32).clip(0, 1)},
    )


def _require_files(folder: Path, counts: BaselCounts) -> None:
    for finding in inspect_basel(folder, counts):
        if finding.state == "wrong" and not finding.file.endswith(".h5"):
            raise AssetMissing(f"{folder / finding.file}: {finding.advice}")
        if finding.state == "missing":
            raise AssetMissing(f"{folder / finding.file}: not there; {finding.advice}")


def _selection(folder: Path, counts: BaselCounts) -> tuple[Int64[ndarray, " f"], Int64[ndarray, " f"]]:
    """The face's vertices among those of the expression basis, and among those of the whole model."""
    front = _indices(read_arrays(folder / FRONT, counts)["idx"], counts.trimmed, f"{folder / FRONT}: idx")
    name = f"{folder / TRIMMED}: trimIndex"
    trimmed = _indices(read_arrays(folder / TRIMMED, counts)["trimIndex"], counts.vertices, name)
    return front, trimmed[front]


def _indices(values: ndarray, count: int, where: str) -> Int64[ndarray, " n"]:
    """Whole numbers from 1 to `count` as indices from 0; raises `ArtefactError` on others."""
    numbers = values.ravel().astype(np.float64)
    if (numbers % 1 != 0).any() or numbers.min() < 1 or numbers.max() > count:
        raise ArtefactError(f"{where}: not whole numbers from 1 to {count}: the file is damaged, or of another model")
    return numbers.astype(np.int64) - 1


def _vertices(columns: ndarray, kept: Int64[ndarray, " f"]) -> Float32[ndarray, "c f 3"]:
    """Columns of x, y, z in turn, at the vertices kept."""
    by_vertex = columns.reshape(-1, 3, columns.shape[1])[kept]
    return np.ascontiguousarray(by_vertex.transpose(2, 0, 1), dtype=np.float32)


def _scaled(model: dict[str, ndarray], part: str, kept: Int64[ndarray, " f"], count: int) -> Float32[ndarray, "c f 3"]:
    """The leading components, each times its standard deviation."""
    deviation = model[f"{part}EV"].ravel()[:count].astype(np.float32)
    return _vertices(model[f"{part}PC"][:, :count], kept) * deviation[:, None, None]


def _expressions(folder: Path, counts: BaselCounts) -> Float32[ndarray, "e n 3"]:
    """Every expression component times its standard deviation; the mean expression in the file is not used."""
    path = folder / EXPRESSIONS
    raw = path.read_bytes()
    if int.from_bytes(raw[:4], "little") != counts.expressions:
        raise ArtefactError(f"{path}: does not begin with its number of components: fetch it again")
    values = np.frombuffer(raw, "<f4", offset=4).reshape(-1, counts.trimmed, 3)[1:]
    deviation = _deviations(folder / DEVIATIONS, counts.expressions)
    if not np.isfinite(values).all():
        raise ArtefactError(f"{path}: holds numbers that are not finite: fetch it again")
    return (values * deviation[:, None, None]).astype(np.float32)


def _deviations(path: Path, count: int) -> Float32[ndarray, " e"]:
    try:
        words = path.read_text(encoding="ascii").split()
        values = np.array([float(word) for word in words], dtype=np.float32)
    except ValueError:
        values = np.empty(0, np.float32)
    if len(values) != count or not (np.isfinite(values) & (values > 0)).all():
        raise ArtefactError(f"{path}: not {count} positive numbers: fetch it again")
    return values


def _require_frame(template: Float32[ndarray, "f 3"], landmarks: Int64[ndarray, " 68"], folder: Path) -> None:
    """Raise `ArtefactError` unless the mean face is face-sized, upright, and looks along +z."""
    left, right, chin = (template[landmarks[place]] for place in (LEFT_EYE, RIGHT_EYE, CHIN))
    extent = float(np.ptp(template, axis=0).max())
    if not (left[0] < right[0] and chin[1] < left[1] and max(left[2], right[2]) < 0 and 100 < extent < 400):
        raise ArtefactError(
            f"{folder}: the mean face is not upright, or {extent:.0f} mm large: are the files of one model?"
        )


def _outwards(template: Float32[ndarray, "f 3"], triangles: Int64[ndarray, "m 3"]) -> Int32[ndarray, "m 3"]:
    """Counter-clockwise as seen from the front."""
    a, b, c = (template[triangles[:, corner]].astype(np.float64) for corner in range(3))
    faces_camera = np.cross(b - a, c - a)[:, 2].sum() > 0
    return np.ascontiguousarray(triangles if faces_camera else triangles[:, ::-1], dtype=np.int32)

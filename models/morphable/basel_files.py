"""The files of the Basel Face Model 2009 and its expression basis: which there are, where to get them, are they whole.

Nobody may pass the model on, so each laboratory asks for its own copy; these checks tell what is missing and where to
ask. The files are those that R-Net's public preparation takes (Deng et al., CVPRW 2019).
"""

import re
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy import ndarray
from scipy.io import loadmat, whosmat

from models.errors import ArtefactError

MODEL, EXPRESSIONS, DEVIATIONS = "01_MorphableModel.mat", "Exp_Pca.bin", "std_exp.txt"
TRIMMED, FRONT, INFO = "BFM_exp_idx.mat", "BFM_front_idx.mat", "facemodel_info.mat"
BASEL = "https://faces.dmi.unibas.ch/bfm, on request with the signed licence: the model of 2009"
GUO = "https://github.com/Juyong/3DFace, the archive CoarseData"
RNET = "https://github.com/microsoft/Deep3DFaceReconstruction, the folder BFM"
SOURCES = {MODEL: BASEL, EXPRESSIONS: GUO, DEVIATIONS: RNET, TRIMMED: RNET, FRONT: RNET, INFO: RNET}
"""Every file that is needed, and where it is to be had."""

MAX_BYTES = 600_000_000
_HDF5, _LFS = b"\x89HDF\r\n\x1a\n", b"version https://git-lfs"
_VERSION = re.compile(r"20(1[5-9]|2\d)")
_NUMBERS = frozenset({"single", "double", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))})


class BaselCounts(NamedTuple):
    """How many of each thing the files hold."""

    vertices: int = 53_490
    components: int = 199
    trimmed: int = 53_215
    expressions: int = 79
    front: int = 35_709


BFM_2009 = BaselCounts()


class Finding(NamedTuple):
    """One file: whether it is there and as it should be; `advice` says what to do about it, or is empty."""

    file: str
    state: Literal["present", "missing", "wrong"]
    advice: str


def inspect_basel(folder: Path, counts: BaselCounts = BFM_2009) -> list[Finding]:
    """A finding for every file that is needed, then one for each other version of the model in `folder`.

    Reads headers and sizes only, so it is quick; `load_basel` looks at the numbers too.
    """
    findings = [_inspect(folder / name, counts) for name in SOURCES]
    others = sorted(folder.glob("*.h5")) if folder.is_dir() else []
    return [*findings, *(Finding(path.name, "wrong", _other_version(path)) for path in others)]


def _inspect(path: Path, counts: BaselCounts) -> Finding:
    if not path.is_file():
        return Finding(path.name, "missing", f"get it from {SOURCES[path.name]}")
    try:
        require_layout(path, counts)
    except ArtefactError as error:
        return Finding(path.name, "wrong", str(error).removeprefix(f"{path}: "))
    return Finding(path.name, "present", "")


def _other_version(path: Path) -> str:
    found = _VERSION.search(path.name)
    version = f"of {found[0]}" if found else "of 2017 or later, which came as HDF5,"
    return f"a Basel Face Model {version} and another mesh than the papers': get {MODEL} from {BASEL}"


def require_layout(path: Path, counts: BaselCounts) -> None:
    """Raise `ArtefactError` unless the file has the size, and the arrays and shapes, that it should have."""
    with path.open("rb") as file:
        start = file.read(len(_LFS))
    size = path.stat().st_size
    if start == _LFS:
        raise ArtefactError(f"{path}: only a Git LFS pointer to the file: get it from {SOURCES[path.name]}")
    if size > MAX_BYTES:
        raise ArtefactError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB: get it from {SOURCES[path.name]}")
    if path.suffix == ".mat":
        _require_arrays(path, start, counts)
    elif path.name == EXPRESSIONS and size != 4 + 12 * counts.trimmed * (counts.expressions + 1):
        raise ArtefactError(
            f"{path}: {size} bytes, not those of {counts.expressions} components of {counts.trimmed} vertices: "
            f"get it from {GUO}"
        )


def _require_arrays(path: Path, start: bytes, counts: BaselCounts) -> None:
    if start.startswith(_HDF5):
        raise ArtefactError(
            f"{path}: HDF5, as the Basel Face Models of 2017 and later or MATLAB 7.3 write it: get the original of "
            f"2009 from {SOURCES[path.name]}"
        )
    try:
        found = {name: (shape, kind) for name, shape, kind in whosmat(str(path))}
    except Exception as error:  # the parser meets damaged bytes with exceptions of every kind
        reason = type(error).__name__
        raise ArtefactError(f"{path}: not a readable MATLAB file ({reason}): get {SOURCES[path.name]}") from None
    for name, wanted in arrays_of(path.name, counts).items():
        if name not in found:
            raise ArtefactError(f"{path}: holds no array {name}: another file of that name? {SOURCES[path.name]}")
        shape, kind = found[name]
        if kind not in _NUMBERS or not _fits(shape, wanted):
            raise ArtefactError(
                f"{path}: {name} is {'x'.join(map(str, shape))} {kind}, expected {'x'.join(map(str, wanted))} "
                f"numbers as in 2009's model: get it from {SOURCES[path.name]}"
            )


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Vectors may stand or lie; -1 stands for any number up to ten million."""
    if len(shape) == 2 and 1 in wanted and sorted(shape) == sorted(wanted):
        return True
    return len(shape) == len(wanted) and all(
        have == want or (want == -1 and 0 < have < 10_000_000) for have, want in zip(shape, wanted, strict=True)
    )


def arrays_of(name: str, counts: BaselCounts) -> dict[str, tuple[int, ...]]:
    """The arrays that are read of a MATLAB file, and their shapes."""
    coordinates = 3 * counts.vertices
    if name == MODEL:
        return {
            f"{part}{kind}": shape
            for part in ("shape", "tex")
            for kind, shape in (
                ("MU", (coordinates, 1)),
                ("PC", (coordinates, counts.components)),
                ("EV", (counts.components, 1)),
            )
        }
    if name == TRIMMED:
        return {"trimIndex": (counts.trimmed, 1)}
    if name == FRONT:
        return {"idx": (counts.front, 1)}
    return {"tri": (-1, 3), "keypoints": (1, 68), "skinmask": (1, counts.front)}


def read_arrays(path: Path, counts: BaselCounts) -> dict[str, ndarray]:
    """Those arrays, finite; raises `ArtefactError`."""
    wanted = list(arrays_of(path.name, counts))
    try:
        arrays = {name: np.asarray(values) for name, values in loadmat(str(path), variable_names=wanted).items()}
    except Exception as error:  # as above
        reason = type(error).__name__
        raise ArtefactError(f"{path}: damaged ({reason}): get it from {SOURCES[path.name]}") from None
    for name in wanted:
        if not np.isfinite(arrays[name]).all():
            raise ArtefactError(f"{path}: {name} holds numbers that are not finite: get it from {SOURCES[path.name]}")
    return {name: arrays[name] for name in wanted}

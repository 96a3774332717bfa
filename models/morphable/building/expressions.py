"""Sampled expressions, as displacements in mm from the neutral head."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.morphable.building.makehuman import read_target

RACES = ("african", "asian", "caucasian")
INTENSITIES = (0.25, 0.5, 0.75, 1.0)
WILD = ("tongueOut",)  # the tongue is not part of the surface
SIDEWAYS = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
UNIT_STRENGTH = 0.35
PROTOTYPES: dict[str, dict[str, float]] = {
    "anger": {
        "browDown": 1, "eyeSquint": 0.5, "eyeWide": 0.25, "noseSneer": 0.55, "mouthPress": 0.7,
        "mouthRollUpper": 0.25, "mouthRollLower": 0.2, "jawForward": 0.3, "mouthFrown": 0.25,
    },
    "disgust": {
        "noseSneer": 1, "mouthUpperUp": 0.8, "browDown": 0.6, "cheekSquint": 0.7, "mouthFrown": 0.45,
        "mouthShrugLower": 0.35, "eyeSquint": 0.5, "mouthLowerDown": 0.15,
    },
    "fear": {
        "browInnerUp": 1, "browOuterUp": 0.5, "browDown": 0.35, "eyeWide": 1, "mouthStretch": 1, "jawOpen": 0.28,
        "mouthLowerDown": 0.5,
    },
    "happy": {
        "cheekSquint": 0.6, "mouthSmile": 0.85, "mouthDimple": 0.25, "eyeSquint": 0.35, "jawOpen": 0.12,
        "mouthUpperUp": 0.35, "mouthLowerDown": 0.25,
    },
    "sad": {
        "browInnerUp": 1, "browDown": 0.25, "mouthFrown": 1, "mouthShrugLower": 0.55, "eyeBlink": 0.2,
        "mouthPucker": 0.1, "mouthRollLower": 0.15,
    },
    "surprise": {"browInnerUp": 1, "browOuterUp": 1, "eyeWide": 1, "jawOpen": 0.6, "mouthFunnel": 0.25},
}  # fmt: skip


class ExpressionSpace(NamedTuple):
    """Facial actions by name, further expression units, and the files they came from."""

    names: list[str]
    actions: NDArray[np.float32]
    units: NDArray[np.float32]
    files: list[Path]


def load_expression_space(data: Path, gather: csr_matrix) -> ExpressionSpace:
    """Read the facial actions and the older expression units (mean over the three ancestries)."""
    files = sorted((data / "faceunits01/targets/faceunits").glob("*.target"))
    files = [path for path in files if path.stem not in WILD]
    folder = data / "mpfb2/targets/expression/units"
    unit_names = sorted(path.name for path in (folder / RACES[0]).glob("*.target.gz"))
    unit_files = [[folder / race / name for race in RACES] for name in unit_names]
    return ExpressionSpace(
        [path.stem for path in files],
        np.stack([read_target(path, gather) for path in files]).astype(np.float32),
        np.stack([np.mean([read_target(p, gather) for p in paths], axis=0) for paths in unit_files]).astype(np.float32),
        [*files, *(path for paths in unit_files for path in paths)],
    )


def prototypes(space: ExpressionSpace) -> NDArray[np.float32]:
    """(6, 4, n, 3): the prototypical expressions at their four intensities, in BU-3DFE's order."""
    recipes = np.stack([_weights(space, recipe) for recipe in PROTOTYPES.values()])
    shaped = (recipes @ space.actions.reshape(len(space.names), -1)).reshape(len(PROTOTYPES), 1, -1, 3)
    return (shaped * np.array(INTENSITIES, dtype=np.float32)[None, :, None, None]).astype(np.float32)


def _weights(space: ExpressionSpace, recipe: dict[str, float]) -> NDArray[np.float32]:
    """Weight of every facial action in a recipe that names left and right together."""
    return np.array([recipe.get(family(name), 0.0) for name in space.names], dtype=np.float32)


def family(name: str) -> str:
    """`mouthSmileLeft` -> `mouthSmile`; a movement to one side keeps its name."""
    return name if name in SIDEWAYS else name.removesuffix("Left").removesuffix("Right")


def draw_expressions(space: ExpressionSpace, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Random combinations of facial actions and, weaker, of expression units; a third are near prototypes."""
    families = sorted({family(name) for name in space.names})
    column = np.array([families.index(family(name)) for name in space.names])
    active = rng.random((count, len(families))) < 0.14
    strength = active * rng.beta(1.3, 1.8, (count, len(families)))
    weights = strength[:, column] * np.clip(1 + rng.normal(0, 0.12, (count, len(space.names))), 0, 1.3)
    weights *= np.array([0.4 if name in SIDEWAYS else 1.0 for name in space.names])
    recipes = np.stack([_weights(space, recipe) for recipe in PROTOTYPES.values()])
    near = np.flatnonzero(rng.random(count) < 0.35)
    intensity = rng.uniform(0.2, 1.05, (len(near), 1))
    weights[near] = 0.25 * weights[near] + recipes[rng.integers(6, size=len(near))] * intensity
    extra = UNIT_STRENGTH * (rng.random((count, len(space.units))) < 0.08) * rng.random((count, len(space.units)))
    fields = weights.astype(np.float32) @ space.actions.reshape(len(space.names), -1)
    fields += extra.astype(np.float32) @ space.units.reshape(len(space.units), -1)
    return fields.reshape(count, -1, 3)

"""Sampled identities: phenotypes and local changes drawn at random, then size-normalised and aligned."""

import json
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.morphable.building.makehuman import read_target

AGES = ("child", "young", "old")
GENDERS = ("male", "female")
RACES = ("african", "asian", "caucasian")
MUSCLES = ("minmuscle", "averagemuscle", "maxmuscle")
WEIGHTS = ("minweight", "averageweight", "maxweight")
HEIGHTS = ("minheight", "maxheight")
PROPORTIONS = ("idealproportions", "uncommonproportions")
REGIONS = ("cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "nose")
AMPLITUDE = 0.5  # 0.8 and more gives monsters
SIDE_SIGMA = 0.06  # a left and a right that differ a little
ASYMMETRY_SIGMA = 0.2
SIGMAS = {
    "head-trans": 0.0,
    "forehead-trans": 0.18,
    "forehead-scale": 0.12,
    "forehead-nubian": 0.06,
    "forehead": 0.2,
    "head-fat": 0.3,
    "head-age": 0.3,
    "head-angle": 0.15,
    "head-scale": 0.2,
    "head-back": 0.2,
    "head": 0.2,
    "chin": 0.3,
    "nose-trans-out": 0.06,
    "nose-trans-in": 0.06,
    "mouth-trans-out": 0.06,
    "mouth-trans-in": 0.06,
    "eyebrows": 0.4,
    "ear": 0.4,
    "": 0.4,
}


class LocalChange(NamedTuple):
    """A two-sided change: displacements at +1 and at -1, and how strongly it is drawn."""

    name: str
    positive: NDArray[np.float32]
    negative: NDArray[np.float32]
    sigma: float
    twin: str


class IdentitySpace(NamedTuple):
    """Everything that moves a neutral head: macro targets with their factors, local changes, asymmetries."""

    macro_factors: list[tuple[str, ...]]
    macro: NDArray[np.float32]
    changes: list[LocalChange]
    asymmetry: NDArray[np.float32]
    files: list[Path]


class People(NamedTuple):
    """Neutral vertices (N, n, 3) in mm, not aligned, and their attributes (N, 6)."""

    vertices: NDArray[np.float32]
    attributes: NDArray[np.float32]


def load_identity_space(data: Path, gather: csr_matrix) -> IdentitySpace:
    """Read every target that shapes a neutral adult head."""
    targets = data / "mpfb2/targets"
    files = _macro_files(targets / "macrodetails")
    macro = np.stack([read_target(path, gather) for path in files.values()]).astype(np.float32)
    moving = np.abs(macro).max(axis=(1, 2)) > 0
    changes, change_files = _read_changes(targets, gather)
    asymmetry_files = sorted(path for path in (targets / "asym").glob("asym-*.target.gz") if "-ear-" not in path.name)
    asymmetry = np.stack([read_target(path, gather) for path in asymmetry_files]).astype(np.float32)
    factors = [key for key, moves in zip(files, moving, strict=True) if moves]
    return IdentitySpace(factors, macro[moving], changes, asymmetry, [*files.values(), *change_files, *asymmetry_files])


def _macro_files(folder: Path) -> dict[tuple[str, ...], Path]:
    """Factors of each macro target -> its file."""
    files = {f: folder / f"{f[0]}-{f[1]}-{f[2]}.target.gz" for f in product(RACES, GENDERS, AGES)}
    for factors in product(GENDERS, AGES, MUSCLES, WEIGHTS):
        name = "-".join(factors)
        files[factors] = folder / f"universal-{name}.target.gz"
        files |= {(*factors, h): folder / "height" / f"{name}-{h}.target.gz" for h in HEIGHTS}
        files |= {(*factors, p): folder / "proportions" / f"{name}-{p}.target.gz" for p in PROPORTIONS}
    return files


def _read_changes(targets: Path, gather: csr_matrix) -> tuple[list[LocalChange], list[Path]]:
    """Two-sided local changes of the head's regions, sided ones knowing their twin."""
    catalogue = json.loads((targets / "target.json").read_text())
    changes: list[LocalChange] = []
    files: list[Path] = []
    for region, category in ((r, c) for r in REGIONS for c in catalogue[r]["categories"] if "opposites" in c):
        sigma = _sigma(category["name"])
        for side in ("unsided", "left", "right"):
            names = [category["opposites"][f"{sign}-{side}"] for sign in ("positive", "negative")]
            if not all(names) or sigma == 0:
                continue
            paths = [targets / region / f"{name}.target.gz" for name in names]
            up, down = (read_target(path, gather).astype(np.float32) for path in paths)
            changes.append(LocalChange(f"{category['name']}:{side}", up, down, sigma, category["name"]))
            files += paths
    return changes, files


def _sigma(name: str) -> float:
    """Standard deviation of a change, by the longest listed prefix of its name."""
    return next(SIGMAS[key] for key in sorted(SIGMAS, key=len, reverse=True) if name.startswith(key))


def draw_people(space: IdentitySpace, base: NDArray[np.float64], count: int, rng: np.random.Generator) -> People:
    """Draw `count` neutral heads."""
    phenotype = draw_phenotypes(count, rng)
    vertices = np.einsum("km,mnd->knd", macro_weights(phenotype, space.macro_factors), space.macro, optimize=True)
    vertices += base.astype(np.float32)
    shared = {c.twin: rng.normal(size=count) for c in space.changes}
    for change in space.changes:
        sided = 0.0 if change.name.endswith("unsided") else SIDE_SIGMA * rng.normal(size=count)
        amount = np.clip(change.sigma * AMPLITUDE * shared[change.twin] + sided, -1, 1).astype(np.float32)
        vertices += np.multiply.outer(np.maximum(amount, 0), change.positive)
        vertices += np.multiply.outer(np.maximum(-amount, 0), change.negative)
    skew = np.abs(rng.normal(0, ASYMMETRY_SIGMA, (count, len(space.asymmetry)))) * (
        rng.random((count, len(space.asymmetry))) < 0.3
    )
    vertices += np.einsum("km,mnd->knd", skew.astype(np.float32), space.asymmetry, optimize=True)
    columns = [phenotype[name] for name in ("gender", "age", "weight", *RACES)]
    return People(vertices, np.stack(columns, axis=1).astype(np.float32))


def draw_phenotypes(count: int, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Adults of both genders and of mixed ancestry; values in 0..1."""
    gender = rng.beta(1.2, 8, count)
    ancestry = rng.dirichlet((0.45, 0.45, 0.45), count)
    return {
        "gender": np.where(rng.random(count) < 0.5, gender, 1 - gender),
        "age": rng.uniform(0.58, 0.92, count),
        "muscle": rng.beta(4, 4, count),
        "weight": rng.beta(3, 3.5, count),
        "height": rng.beta(6, 6, count),
        "proportions": rng.uniform(0.2, 0.9, count),
        **{race: ancestry[:, i] for i, race in enumerate(RACES)},
    }


def macro_weights(phenotype: dict[str, NDArray[np.float64]], factors: list[tuple[str, ...]]) -> NDArray[np.float32]:
    """Weight of each macro target: the product of the interpolation weights of its factors."""
    weight: dict[str, NDArray[np.float64]] = {race: phenotype[race] for race in RACES}
    weight |= _hats(phenotype["gender"], GENDERS, (0, 1)) | _hats(phenotype["age"], AGES, (1 / 3, 2 / 3, 1))
    weight |= _hats(phenotype["muscle"], MUSCLES, (0, 0.5, 1)) | _hats(phenotype["weight"], WEIGHTS, (0, 0.5, 1))
    weight |= _hats(phenotype["height"], HEIGHTS, (0, 1)) | _hats(phenotype["proportions"], PROPORTIONS, (0, 1))
    return np.stack([np.prod([weight[f] for f in key], axis=0) for key in factors], axis=1).astype(np.float32)


def _hats(
    value: NDArray[np.float64], names: tuple[str, ...], anchors: tuple[float, ...]
) -> dict[str, NDArray[np.float64]]:
    """Linear interpolation weights between neighbouring anchors."""
    return {name: np.interp(value, anchors, np.eye(len(anchors))[i]) for i, name in enumerate(names)}

"""Faces of the face world with their style codes: the space of the codes, and shards of faces to learn from."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from models.errors import DataError
from models.faceworld.studio import open_studio
from models.faceworld.true_faces import FULL, DrawnFaces, TrueFaces, TrueSurfaces, draw_faces
from models.morphable.builtin import load_face
from models.morphable.population import Split
from models.morphable.style_space import StylePart, StyleSpace, fit_style_space
from tasks.files import save_array

BLOCK = 50
PARTS = ("identity", "expression")


class StyledFaces(NamedTuple):
    """Faces by their codes and by their causes, a row each."""

    codes: Float32[ndarray, "n d"]
    drawn: DrawnFaces


def build_style_space(folder: Path, seed: int, faces: int, identity: int, expression: int, relief_mm: float) -> None:
    """`<part>_directions.npy` and `<part>_signs.npy`: the style space of the first `faces` training faces."""
    true, vertices = TrueFaces(relief_mm), len(load_face(subdivisions=0).template)
    neutral, expressive = [], []
    for surfaces in surface_blocks(true, draw_faces(open_studio(), "reconstruction", seed, 0, faces, 1)):
        neutral.append(surfaces.neutral[:, :vertices])
        expressive.append(surfaces.expressive[:, :vertices])
    style = fit_style_space(
        true.face.template[:vertices],
        true.partners[:vertices],
        np.concatenate(neutral),
        np.concatenate(expressive),
        identity,
        expression,
    )
    for name in PARTS:
        for field, values in cast(StylePart, getattr(style, name))._asdict().items():
            save_array(folder / f"{name}_{field}.npy", values)


def load_style_space(folder: Path) -> StyleSpace:
    """What `build_style_space` wrote."""
    identity, expression = (
        StylePart(*(np.load(folder / f"{name}_{field}.npy", allow_pickle=False) for field in StylePart._fields))
        for name in PARTS
    )
    return StyleSpace(load_face().template[: identity.directions.shape[1]], identity, expression)


def build_styled_faces(
    folder: Path, split: str, seed: int, first: int, count: int, relief_mm: float, space: Path
) -> None:
    """`codes.npy` of the faces `first` to `first + count` of a split, and their causes, an array for each."""
    style, true = load_style_space(space), TrueFaces(relief_mm)
    drawn = draw_faces(open_studio(), cast(Split, split), seed, first, count, 1)
    codes = [style.codes(each.neutral, each.expressive) for each in surface_blocks(true, drawn)]
    save_array(folder / "codes.npy", np.concatenate(codes))
    for name, values in drawn._asdict().items():
        save_array(folder / f"{name}.npy", values)


def load_styled_faces(folders: Sequence[Path]) -> StyledFaces:
    """What `build_styled_faces` wrote, shard after shard."""

    def column(name: str) -> ndarray:
        return np.concatenate([np.load(folder / f"{name}.npy", allow_pickle=False) for folder in folders])

    return StyledFaces(column("codes"), DrawnFaces(*(column(name) for name in DrawnFaces._fields)))


def surface_blocks(true: TrueFaces, drawn: DrawnFaces) -> Iterator[TrueSurfaces]:
    """The surfaces of all faces, some at a time."""
    for start in range(0, len(drawn), BLOCK):
        rows = slice(start, start + BLOCK)
        yield true.surfaces(drawn.identity[rows], drawn.expression[rows], drawn.relief_seeds[rows])


def photo_codes(
    style: StyleSpace, identity: Float32[ndarray, "n 160"], expression: Float32[ndarray, "n 72"]
) -> Float32[ndarray, "n d"]:
    """Codes of the faces in photos, from their true coefficients and without relief, which a photo does not show."""
    face, seen = load_face(*FULL), len(style.template)
    who = identity @ style.identity.codes(face.identity_basis[:, :seen])
    how = expression @ style.expression.codes(face.expression_basis[:, :seen])
    return np.concatenate([who, how], axis=1)


def prototype_codes(style: StyleSpace) -> Float32[ndarray, "6 e"]:
    """Expression parts of the codes that show each of the six expressions fully."""
    face, fully = load_face(*FULL), open_studio().model.prototype_expressions[:, -1]
    return fully @ style.expression.codes(face.expression_basis[:, : len(style.template)])


def photographed(
    split: str,
    seed: int,
    subjects: Int64[ndarray, " n"],
    identity: Float32[ndarray, "n 160"],
    expression: Float32[ndarray, "n 72"],
) -> DrawnFaces:
    """The faces in simulated photos with all their causes; who shows which expression how much is not known (NaN).

    Raises `DataError` when the photos are not of people `subjects` (from 1) of that split and seed.
    """
    studio = open_studio()
    people = {int(number): studio.person(cast(Split, split), seed, int(number) - 1) for number in np.unique(subjects)}
    for number, row in zip(subjects, identity, strict=True):
        if not np.array_equal(people[int(number)].identity, row):
            raise DataError(
                f"photos of person {number}: not of the {split} people of seed {seed}; synthesise them with that seed"
            )
    seeds = np.array([people[int(number)].seed for number in subjects], dtype=np.int64)
    attributes = np.stack([people[int(number)].attributes for number in subjects])
    unknown = np.full((len(subjects), 6), np.nan, dtype=np.float32)
    return DrawnFaces(identity, expression, seeds, attributes, unknown)

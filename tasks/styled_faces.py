"""Faces of the face world with their style codes, as artefacts."""

from typing import NamedTuple

from infra.profiles.texface import StyleCodesConfig
from infra.store import Artefact
from tasks.build_styled import build_style_space, build_styled_faces
from tasks.stages import make, make_all
from tasks.wiring import Workspace

CODE = ["tasks.build_styled"]


class StyledShards(NamedTuple):
    """The space of the codes, and faces with their codes: to learn from, and of other people."""

    space: Artefact
    faces: list[Artefact]
    unseen: list[Artefact]


def draw_styled_faces(workspace: Workspace, config: StyleCodesConfig, seed: int) -> StyledShards:
    """The space fitted, and all faces drawn, as far as they are not there yet."""
    settings = config.model_dump(include={"identity", "expression", "relief_mm"})
    settings |= {"faces": config.fitted_on, "seed": seed}
    space = make(workspace, "style-space", [], settings, CODE, lambda folder, _: build_style_space(folder, **settings))
    return StyledShards(
        space,
        _drawn(workspace, space, "reconstruction", config.faces, config, seed),
        _drawn(workspace, space, "heldout", config.held_out_faces, config, seed),
    )


def _drawn(
    workspace: Workspace, space: Artefact, split: str, count: int, config: StyleCodesConfig, seed: int
) -> list[Artefact]:
    step = config.faces_per_shard
    common = {"split": split, "seed": seed, "relief_mm": config.relief_mm}
    units = [
        ([space], {**common, "first": first, "count": min(step, count - first)}) for first in range(0, count, step)
    ]
    where = [{"space": space.path} for _ in units]
    return make_all(workspace, "styled-faces", units, CODE, build_styled_faces, f"faces with codes ({split})", where)

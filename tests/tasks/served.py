"""A home in which a model serves, without any training: what the networks have learnt does not matter to the tests."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch

from infra.files import sha256_bytes
from infra.profiles import load_profile
from infra.store import Artefact
from models.export.onnx import export_fused
from models.morphable.builtin import load_face
from models.networks.expnet import CoefficientLayout, build_expnet
from models.networks.fused import FusedBranches
from models.networks.sphere20 import Sphere20
from models.readers.meshes_out import write_obj
from models.reconstructors.stored import save_expnet
from models.rendering.camera import rotation_from_angles
from models.types import Scan
from registry import ledger
from registry.lineage import record_artefact
from registry.packaging import LINEAGE, ModelVersion, register
from tasks import champion, gallery, gallery_desk, gallery_renewal, promotion
from tasks.jobs import dotted
from tasks.stages import make
from tasks.wiring import Workspace

TINY = load_profile("tiny")
DEVELOPMENT = {"points": [{"threshold": {"fmr": 0.01, "distance": 0.5, "impostors": 3000}}], "development": ["a", "b"]}


def use(workspace: Workspace, patch: pytest.MonkeyPatch) -> None:
    """The gallery's commands work in that workspace from now on."""
    for module in (champion, gallery, gallery_desk, gallery_renewal, promotion):
        patch.setattr(module, "open_workspace", lambda: workspace)


def crown(
    workspace: Workspace,
    model: str,
    seed: int = 0,
    details: dict[str, object] | None = None,
    networks: Sequence[Artefact] = (),
) -> None:
    """Let untrained networks serve as the next champion, with an untrained reconstructor behind them."""
    made = offer(workspace, model, seed, details, networks)
    epoch = ledger.champion(workspace.engine, model).epoch
    assert ledger.promote(workspace.engine, model, made.version, epoch, {})


def offer(
    workspace: Workspace,
    model: str,
    seed: int = 0,
    details: dict[str, object] | None = None,
    networks: Sequence[Artefact] = (),
) -> ModelVersion:
    """A version that could serve."""
    graph = untrained_graph(seed)
    lineage = sha256_bytes(f"onnx {model} {seed}".encode())
    record_artefact(
        workspace.engine,
        lineage,
        "onnx",
        sha256_bytes(graph),
        [each.key for each in (*networks, untrained_expnet(workspace, seed))],
    )
    parent = workspace.tracker.run("recognizer", "job", f"{model}-{seed}-job")
    parent.log_params(dotted(TINY.model_dump()))
    if details is not None:
        parent.log_dict({"verification": details}, "bu3dfe/lmcl.details.json")
    release = {"variant": "lmcl"}
    child = workspace.tracker.run("recognizer", "release", f"{model}-{seed}", parent=parent.run_id, tags=release)
    return register(workspace.tracker, child, model, graph, f"{model}-{seed}", tags={LINEAGE: lineage}, card="")


@lru_cache
def untrained_graph(seed: int) -> bytes:
    """Three branches that have learnt nothing; to export them takes seconds."""
    torch.manual_seed(seed)
    pixels = TINY.normals.pixels
    branches = [Sphere20(1, 0.0625, (pixels, pixels), 16) for _ in range(3)]
    return export_fused(FusedBranches(*branches)).SerializeToString()


def untrained_expnet(workspace: Workspace, seed: int) -> Artefact:
    def build(folder: Path, _: Path) -> None:
        torch.manual_seed(seed)
        save_expnet(folder, build_expnet(18, 0.125, CoefficientLayout().size), 18, 0.125, 48)

    return make(workspace, "expnet", [], {"seed": seed}, ["models.networks.expnet"], build)


def scan_people(root: Path, names: list[str], each: int = 2) -> None:
    """`each` scans of made-up people as OBJ files, a folder a person, turned a little and with a sensor's noise.

    A name always has the same face, and no two names have one.
    """
    face = load_face()
    for name in names:
        rng = np.random.default_rng(list(name.encode()))
        shape = face.shape(
            rng.normal(size=len(face.identity_basis)).astype(np.float32),
            np.zeros(len(face.expression_basis), np.float32),
        )
        for turn in range(each):
            angles = (float(angle) for angle in rng.normal(0, 4, size=3))
            moved = shape @ rotation_from_angles(*angles).T + rng.normal(0, 0.05, size=shape.shape)
            path = root / name / f"{turn}.obj"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(write_obj(Scan(moved.astype(np.float32), face.triangles)))

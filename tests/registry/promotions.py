"""Small models on their way to champion: graphs, versions in MLflow, candidates with a lineage."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sqlalchemy import Engine

from registry import ledger
from registry.candidates import Candidate, enter
from registry.catalogue import ManifestRow, add_snapshot
from registry.gates import Gate
from registry.lineage import record_artefact
from registry.packaging import LINEAGE, PROTOCOL, ModelVersion, register
from registry.promotion import Comparison, Judged, judge_candidate
from registry.tracking import Tracker

MODEL = "trinormal"
GATES = (Gate("rank1", at_least=0.9),)
VERSUS = (Gate("versus_champion_low", at_least=-0.03), Gate("p_worse", at_least=0.05))
EQUAL = Comparison({"versus_champion": 0.0, "versus_champion_low": -0.01, "p_worse": 0.5})
ONNX_KEY = "a" * 64


def graph(scale: float, location: int = TensorProto.DEFAULT) -> onnx.ModelProto:
    """y = scale * (nx + ny), the batch left free."""
    weight = numpy_helper.from_array(np.float32([scale]), "scale")
    weight.data_location = location
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4]) for name in ("nx", "ny")]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 4])
    nodes = [helper.make_node("Add", ["nx", "ny"], ["sum"]), helper.make_node("Mul", ["sum", "scale"], ["embedding"])]
    body = helper.make_graph(nodes, "tiny", sides, [output], [weight])
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def version_of(tracker: Tracker, scale: float, protocol: str = "p", model: str = MODEL) -> ModelVersion:
    run = tracker.run("faces", "train", f"run-{model}-{scale}")
    tags = {PROTOCOL: protocol, LINEAGE: ONNX_KEY, "rank1": "0.95"}
    return register(tracker, run, model, graph(scale).SerializeToString(), f"key-{scale}", tags=tags, card="# It")


def known_lineage(engine: Engine) -> str:
    """The key of an artefact that was made from a snapshot and nothing else."""
    rows = [ManifestRow("a.jpg", "1" * 64, "p1", "train", 10)]
    snapshot = add_snapshot(engine, rows, name="photos", kind="photo", licence="CC0-1.0", source="x")
    record_artefact(engine, ONNX_KEY, "onnx", "b" * 64, [snapshot.id])
    return ONNX_KEY


def candidate_of(engine: Engine, version: ModelVersion, rank1: float = 0.95, **changes: Any) -> Candidate:
    """The version as candidate in the ledger."""
    told: dict[str, Any] = {
        "sha256": version.sha256,
        "lineage": known_lineage(engine),
        "protocol": version.tags[PROTOCOL],
        "licences": frozenset({"CC0-1.0"}),
        "metrics": {"rank1": rank1},
        "gates": GATES,
        "versus_champion": VERSUS,
    }
    found = Candidate(version.model, version.version, **{**told, **changes})
    enter(engine, found)
    return found


def judged(engine: Engine, tracker: Tracker, candidate: Candidate, comparison: Comparison | None = None) -> Judged:
    """What the gate says of it now; as good as the champion unless told otherwise."""
    state = ledger.champion(engine, candidate.model)
    beside = comparison or (EQUAL if state.version else Comparison({}))
    return judge_candidate(engine, tracker, candidate, state, beside)


def aliases(tracker: Tracker, model: str = MODEL) -> dict[str, str]:
    return {name: str(number) for name, number in tracker.client.get_registered_model(model).aliases.items()}

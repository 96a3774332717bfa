"""From three networks to a version in the registry: one ONNX graph, its card, the gate, the champion."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from prefect import task

from infra.profiles import GateConfig
from infra.store import Artefact
from models.export.onnx import export_fused
from models.export.parity import BATCHES, fused_parity
from models.export.weights import save_plain_weights
from models.networks.fused import FusedBranches
from registry.bom import Provenance
from registry.gates import Evidence, Gate
from registry.ledger import champion
from registry.lineage import ancestors, is_complete
from registry.packages import Extras
from registry.packaging import LICENCES, LINEAGE, PROTOCOL, register
from registry.promotion import Outcome, promote_if_passes, register_challenger
from registry.stage_graph import stage_graph
from tasks import policies
from tasks.align import Crops
from tasks.cards import model_card
from tasks.embed import Three
from tasks.evaluate import BenchmarkResult
from tasks.export_reconstructor import reconstructor_files
from tasks.files import read_json, write_json
from tasks.jobs import Job, child_run
from tasks.normals import NormalShards, some_images
from tasks.recogniser import load_sphere20
from tasks.stages import make
from tasks.variants import Variant
from tasks.wiring import Workspace, open_workspace

RECOGNITION = "recognition of people by the normals of their faces' surfaces"
LIMITS = "figures on simulated people compare parts of this system; see the model card before any use on real ones"


class Exported(NamedTuple):
    """`model.onnx`, how far it is from torch, and what else goes into its package: files by name, and more figures."""

    artefact: Artefact
    parity_max_abs: float
    beside: Mapping[str, Path] = MappingProxyType({})
    figures: Mapping[str, float] = MappingProxyType({})


class Released(NamedTuple):
    """What became of a candidate."""

    name: str
    version: str
    alias: str
    promoted: bool
    reasons: tuple[str, ...]


@task(name="export ONNX", **policies.STAGE)
def export(branches: Three, normals: NormalShards, crops: Crops, variant: Variant) -> Exported:
    """The three branches as one graph, checked against torch on random images and on some that they were trained on.

    Beside it go their weights, and the reconstructor `variant` (compared on some of its `crops`).
    """
    workspace = open_workspace()

    def build(folder: Path, _: Path) -> None:
        x, y, z = (load_sphere20(branch) for branch in branches)
        fused = FusedBranches(x, y, z)
        proto = export_fused(fused)
        (folder / "model.onnx").write_bytes(proto.SerializeToString(deterministic=True))
        save_plain_weights(folder / "weights.safetensors", fused)
        write_json(folder / "parity.json", fused_parity(proto, fused, some_images(normals, max(BATCHES))))

    inputs = [*(branch.artefact for branch in branches), *normals.shards]
    made = make(workspace, "onnx", inputs, {}, ["models.export.parity", "models.export.weights"], build)
    parity = read_json(made.path / "parity.json")
    beside = {name: made.path / name for name in ("weights.safetensors", "parity.json")}
    beside |= reconstructor_files(workspace, variant, crops.paths("reconstructor"))
    return Exported(made, max(parity.values()), beside, {f"parity.{name}": gap for name, gap in parity.items()})


@task(name="register and promote", **policies.REGISTER)
def release(
    exported: Exported,
    result: BenchmarkResult,
    variant: str,
    gate: GateConfig,
    licences: Mapping[str, str],
    model: str,
    job: Job,
) -> Released:
    """Register as challenger, hold the gates against it, and make it champion if nothing speaks against it."""
    workspace = open_workspace()
    metrics = gate_metrics(result, variant, exported)
    lineage = ancestors(workspace.engine, exported.artefact.key)
    run = child_run(workspace, job, f"release-{variant}", tags={"variant": variant})
    run.log_metrics({**metrics, **exported.figures})
    tags = {
        PROTOCOL: result.protocol_hash,
        LICENCES: ",".join(sorted(set(licences.values()))),
        LINEAGE: exported.artefact.key,
        **{name: f"{value:.6g}" for name, value in metrics.items()},
    }
    card = model_card(result, variant, licences, exported.parity_max_abs)
    run.log_text(card, "model_card.md")
    graph = (exported.artefact.path / "model.onnx").read_bytes()
    key = f"{job.key}/{variant}/{exported.artefact.key}"
    extras = package_extras(workspace, exported, licences, RECOGNITION)
    version = register(workspace.tracker, run, model, graph, key, tags=tags, card=card, extras=extras)
    state = champion(workspace.engine, model)
    if state.version == version.version:
        run.finish()
        return Released(model, version.version, "champion", True, ())
    register_challenger(workspace.tracker, version)
    evidence = Evidence(metrics, result.protocol_hash, frozenset(licences.values()), is_complete(lineage))
    outcome = promote_if_passes(workspace.engine, workspace.tracker, version, evidence, gates(gate), state.epoch)
    run.log_dict(outcome.decision.as_data(), "gate.json")
    run.finish()
    return _released(model, version.version, outcome)


def package_extras(workspace: Workspace, exported: Exported, licences: Mapping[str, str], purpose: str) -> Extras:
    """What a package holds beside graph and card."""
    lineage = stage_graph(workspace.engine, exported.artefact.key)
    return Extras(exported.beside, Provenance(purpose, licences, lineage, (LIMITS,)))


def gate_metrics(result: BenchmarkResult, variant: str, exported: Exported) -> dict[str, float]:
    """What the gate looks at."""
    chosen, baseline = result.scores[variant], result.scores["baseline"]
    return {
        "fused_rank1": chosen.fused,
        "gain_over_baseline": chosen.fused - baseline.fused,
        "fused_minus_best_axis": chosen.fused - max(chosen.x, chosen.y, chosen.z),
        "parity_max_abs": exported.parity_max_abs,
    }


def gates(config: GateConfig) -> tuple[Gate, ...]:
    """The configured thresholds as data."""
    return (
        Gate("fused_rank1", at_least=config.fused_rank1),
        Gate("gain_over_baseline", at_least=config.gain_over_baseline),
        Gate("fused_minus_best_axis", at_least=-config.fused_below_best_axis),
        Gate("parity_max_abs", at_most=config.parity_max_abs),
    )


def _released(model: str, version: str, outcome: Outcome) -> Released:
    alias = "champion" if outcome.promoted else "challenger"
    return Released(model, version, alias, outcome.promoted, outcome.decision.reasons)

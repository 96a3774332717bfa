"""From three networks to a candidate in the registry: one ONNX graph, its card, and what its gate will look at."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from prefect import task

from infra.profiles import GateConfig
from infra.store import Artefact
from models.export.latency import Latency, measure_latency
from models.export.onnx import export_fused
from models.export.parity import BATCHES, fused_parity
from models.export.weights import save_plain_weights
from models.metrics.groups import FEWEST_PEOPLE
from models.networks.fused import FusedBranches
from registry.bom import Provenance
from registry.gates import Gate
from registry.packages import Extras
from registry.packaging import LICENCES, LINEAGE, PROTOCOL, ModelVersion, register
from registry.stage_graph import stage_graph
from tasks import policies
from tasks.align import Crops
from tasks.candidates import Bounds, Measured, enter_candidate, latency_metrics
from tasks.cards import model_card
from tasks.embed import Three
from tasks.evaluate import BenchmarkResult, read_details, read_outcomes
from tasks.export_reconstructor import reconstructor_files
from tasks.files import read_json, write_json
from tasks.jobs import Job, child_run
from tasks.normals import NormalShards, some_images
from tasks.outcomes import identification_outcomes
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


@task(name="register", **policies.REGISTER)
def register_candidate(
    exported: Exported,
    result: BenchmarkResult,
    variant: str,
    gate: GateConfig,
    licences: Mapping[str, str],
    model: str,
    job: Job,
) -> ModelVersion:
    """A new version with all that its gate will look at, or the one that it is already; the gate is not held here."""
    workspace = open_workspace()
    workspace.tracker.reconcile()  # nothing is promoted while MLflow is away
    run = child_run(workspace, job, f"release-{variant}", tags={"variant": variant})
    run.reconcile()
    graph = (exported.artefact.path / "model.onnx").read_bytes()
    metrics = gate_metrics(result, variant, exported, measure_latency(graph))
    run.log_metrics({**metrics, **exported.figures})
    tags = {
        PROTOCOL: result.protocol_hash,
        LICENCES: ",".join(sorted(set(licences.values()))),
        LINEAGE: exported.artefact.key,
        **{name: f"{value:.6g}" for name, value in metrics.items()},
    }
    card = model_card(result, variant, licences, exported.parity_max_abs)
    run.log_text(card, "model_card.md")
    key = f"{job.key}/{variant}/{exported.artefact.key}"
    extras = package_extras(workspace, exported, licences, RECOGNITION)
    version = register(workspace.tracker, run, model, graph, key, tags=tags, card=card, extras=extras)
    outcomes = identification_outcomes(result.protocol_hash, read_outcomes(result.artefact, variant))
    bounds = Bounds(gates(gate, metrics), gate.serving)
    enter_candidate(workspace, run, version, graph, outcomes, Measured(metrics, frozenset(licences.values())), bounds)
    run.finish()
    return version


def package_extras(workspace: Workspace, exported: Exported, licences: Mapping[str, str], purpose: str) -> Extras:
    """What a package holds beside graph and card."""
    lineage = stage_graph(workspace.engine, exported.artefact.key)
    return Extras(exported.beside, Provenance(purpose, licences, lineage, (LIMITS,)))


def gate_metrics(result: BenchmarkResult, variant: str, exported: Exported, latency: Latency) -> dict[str, float]:
    """What the gate looks at; `slice.<label>.<group>` is rank-1 of a group of enough people."""
    chosen, baseline = result.scores[variant], result.scores["baseline"]
    return {
        "fused_rank1": chosen.fused,
        "gain_over_baseline": chosen.fused - baseline.fused,
        "fused_minus_best_axis": chosen.fused - max(chosen.x, chosen.y, chosen.z),
        "parity_max_abs": exported.parity_max_abs,
        **latency_metrics(latency),
        **slice_metrics(read_details(result.artefact, variant).slices),
    }


def slice_metrics(slices: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Rank-1 of each group that has people enough to tell."""
    return {
        f"slice.{divided['label']}.{part['group']}": float(part["rank1"]["value"])
        for divided in slices
        for part in divided["slices"]
        if part["subjects"] >= FEWEST_PEOPLE
    }


def gates(config: GateConfig, metrics: Mapping[str, float]) -> tuple[Gate, ...]:
    """The configured bounds as data; a label with a floor of which no group was measured fails by its name."""
    floors = [
        Gate(name, at_least=floor)
        for label, floor in config.slice_floors.items()
        for name in [each for each in metrics if each.startswith(f"slice.{label}.")] or [f"slice.{label}"]
    ]
    return (
        Gate("fused_rank1", at_least=config.fused_rank1),
        Gate("gain_over_baseline", at_least=config.gain_over_baseline),
        Gate("fused_minus_best_axis", at_least=-config.fused_below_best_axis),
        Gate("parity_max_abs", at_most=config.parity_max_abs),
        *floors,
    )

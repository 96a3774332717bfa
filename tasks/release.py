"""From three networks to a version in the registry: one ONNX graph, its card, the gate, the champion."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from prefect import task

from infra.profiles import GateConfig
from infra.store import Artefact
from models.export.onnx import check_parity, export_fused
from models.networks.fused import FusedBranches
from registry.gates import Evidence, Gate
from registry.ledger import champion
from registry.lineage import ancestors, is_complete
from registry.packaging import LICENCES, LINEAGE, PROTOCOL, register
from registry.promotion import Outcome, promote_if_passes, register_challenger
from tasks import policies
from tasks.cards import model_card
from tasks.embed import Three
from tasks.evaluate import BenchmarkResult
from tasks.files import read_json, write_json
from tasks.jobs import Job, child_run
from tasks.recogniser import load_sphere20
from tasks.stages import make
from tasks.wiring import open_workspace


class Exported(NamedTuple):
    """`model.onnx` and how far it is from torch."""

    artefact: Artefact
    parity_max_abs: float


class Released(NamedTuple):
    """What became of a candidate."""

    name: str
    version: str
    alias: str
    promoted: bool
    reasons: tuple[str, ...]


@task(name="export ONNX", **policies.STAGE)
def export(branches: Three) -> Exported:
    """The three branches as one graph, checked against torch."""
    workspace = open_workspace()

    def build(folder: Path, _: Path) -> None:
        x, y, z = (load_sphere20(branch) for branch in branches)
        fused = FusedBranches(x, y, z)
        proto = export_fused(fused)
        (folder / "model.onnx").write_bytes(proto.SerializeToString(deterministic=True))
        write_json(folder / "parity.json", {"max_abs": check_parity(proto, fused)})

    inputs = [branch.artefact for branch in branches]
    made = make(workspace, "onnx", inputs, {}, ["models.export.onnx"], build)
    return Exported(made, float(read_json(made.path / "parity.json")["max_abs"]))


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
    workspace.tracker.reconcile()  # nothing is promoted while MLflow is away
    run = child_run(workspace, job, f"release-{variant}", tags={"variant": variant})
    run.reconcile()
    run.log_metrics(metrics)
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
    version = register(workspace.tracker, run, model, graph, key, tags=tags, card=card)
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

"""What every kind of model brings to its gate beside its own figures: speed, answers, outcomes, lineage."""

from collections.abc import Mapping
from typing import NamedTuple

from infra.files import sha256_bytes
from infra.profiles.gates import ServingGateConfig
from models.export.latency import Latency
from models.export.smoke import answers
from registry.candidates import Candidate, enter
from registry.gates import Gate
from registry.mirror import reconcile
from registry.packaging import LINEAGE, PROTOCOL, ModelVersion
from registry.runs import TrackedRun
from tasks.outcomes import FILE, Outcomes, versus_champion
from tasks.wiring import Workspace


class Measured(NamedTuple):
    """The figures of a version, and the licences of all it was derived from."""

    metrics: Mapping[str, float]
    licences: frozenset[str]


class Bounds(NamedTuple):
    """What the kind of model asks for, and what is asked of every model."""

    own: tuple[Gate, ...]
    serving: ServingGateConfig


def latency_metrics(latency: Latency) -> dict[str, float]:
    """Milliseconds for one input on one thread."""
    return {"latency_p50_ms": latency.p50_ms, "latency_p99_ms": latency.p99_ms}


def enter_candidate(
    workspace: Workspace,
    run: TrackedRun,
    version: ModelVersion,
    graph: bytes,
    outcomes: Outcomes,
    measured: Measured,
    bounds: Bounds,
) -> None:
    """Note a version in the ledger as candidate, keep its outcomes with its run, and make it challenger; once."""
    text, serving = outcomes.as_text(), bounds.serving
    run.log_text(text, FILE)
    candidate = Candidate(
        version.model,
        version.version,
        sha256_bytes(graph),
        version.tags[LINEAGE],
        version.tags[PROTOCOL],
        measured.licences,
        measured.metrics,
        (*bounds.own, Gate("latency_p99_ms", at_most=serving.latency_p99_ms)),
        versus_champion(serving.worse_by_at_most, serving.significance),
        sha256_bytes(text.encode()),
        answers(graph),
        serving.needs_approval,
    )
    enter(workspace.engine, candidate)
    reconcile(workspace.engine, workspace.tracker, version.model)

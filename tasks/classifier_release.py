"""From a trained classifier to a candidate in the registry: calibrated, exported, with what its gate will look at."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float32
from jinja2 import Environment, StrictUndefined
from numpy import ndarray
from prefect import task

from infra.files import sha256_bytes
from infra.profiles.classifiers import ClassifierGateConfig
from models.classifiers.source import Source
from models.classifiers.stored import ClassifierShape, load_classifier
from models.classifiers.table import pooled
from models.errors import AssetMissing
from models.export.classifier import classifier_parity, export_classifier, metadata
from models.export.latency import Latency, measure_latency
from models.export.parity import BATCHES
from models.export.weights import save_plain_weights
from models.metrics.temperature import fit_temperature
from registry.gates import Gate
from registry.packaging import LICENCES, LINEAGE, PROTOCOL, ModelVersion, register
from tasks import policies
from tasks.candidates import Bounds, Measured, enter_candidate, latency_metrics
from tasks.classifiers import Trained
from tasks.classify import trained_reconstructor
from tasks.coefficient_tables import StoredTable
from tasks.export_reconstructor import reconstructor_files
from tasks.files import read_json, write_json
from tasks.jobs import Job, child_run
from tasks.outcomes import Outcomes, outcomes_under
from tasks.release import Exported, package_extras
from tasks.stages import make
from tasks.wiring import Workspace, open_workspace

CODE = ["models.export.classifier", "models.export.weights", "models.metrics.temperature"]


@task(name="export classifier", **policies.STAGE)
def export_trained(trained: Trained, table: StoredTable) -> Exported:
    """The graph, checked against torch; its probabilities at the temperature that suits the validation inputs.

    `table` holds the coefficients it was judged on, of which some are what the two are compared on.
    """
    workspace = open_workspace()

    def build(folder: Path, _: Path) -> None:
        network, shape = load_classifier(trained.artefact.path)
        answered = [trained.answered(place) for place in range(len(shape.tasks))]
        found = [fit_temperature(each.logits, each.truth[each.kept]) for each in answered]
        network.heads.get_buffer("temperatures").copy_(torch.tensor(found))
        proto = export_classifier(network, shape)
        (folder / "model.onnx").write_bytes(proto.SerializeToString(deterministic=True))
        save_plain_weights(folder / "weights.safetensors", network)
        write_json(folder / "parity.json", classifier_parity(proto, network, shape, some_inputs(trained, shape, table)))
        write_json(folder / "temperatures.json", dict(zip(shape.tasks, found, strict=True)))

    made = make(workspace, "classifier-onnx", [trained.artefact, table.artefact], {}, CODE, build)
    parity = read_json(made.path / "parity.json")
    beside = {name: made.path / name for name in ("weights.safetensors", "parity.json", "temperatures.json")}
    _, shape = load_classifier(trained.artefact.path)
    beside |= reconstructor_beside(workspace, shape.source)
    return Exported(made, max(parity.values()), beside, {f"parity.{name}": gap for name, gap in parity.items()})


def some_inputs(trained: Trained, shape: ClassifierShape, table: StoredTable) -> Float32[ndarray, "n k"]:
    """The first inputs that it was judged on."""
    sets = trained.design.validation.photos[: 2 * max(BATCHES)]
    return pooled(table.read(), sets, shape.parts, shape.confident).values


def reconstructor_beside(workspace: Workspace, source: Source) -> dict[str, Path]:
    """The reconstructor of the classifier's inputs, for its package; nothing where it is not in this home folder."""
    try:
        variant, cnet = trained_reconstructor(workspace, source)
    except AssetMissing:
        return {}
    return reconstructor_files(workspace, variant, (), cnet)


@task(name="register classifier", **policies.REGISTER)
def register_classifier(
    trained: Trained,
    exported: Exported,
    figures: Mapping[str, Any],
    outcomes: Outcomes,
    gate: ClassifierGateConfig,
    licences: Mapping[str, str],
    model: str,
    job: Job,
) -> ModelVersion:
    """A new version with all that its gate will look at, or the one that it is already; the gate is not held here."""
    workspace = open_workspace()
    _, shape = load_classifier(trained.artefact.path)
    graph = (exported.artefact.path / "model.onnx").read_bytes()
    metrics = gate_metrics(figures, exported, measure_latency(graph))
    workspace.tracker.reconcile()  # nothing is promoted while MLflow is away
    run = child_run(workspace, job, f"release {model}", tags={"model": model})
    run.reconcile()
    run.log_metrics({**metrics, **exported.figures})
    tags = {
        PROTOCOL: outcomes.protocol,
        LICENCES: ",".join(sorted(set(licences.values()))),
        LINEAGE: exported.artefact.key,
        **metadata(shape),
        **{name: f"{value:.6g}" for name, value in metrics.items()},
    }
    card = classifier_card(figures, tags, licences)
    run.log_text(card, "model_card.md")
    key = f"{job.key}/{model}/{exported.artefact.key}"
    extras = package_extras(
        workspace, exported, licences, f"telling people's {figures['task']} from 3D face coefficients"
    )
    version = register(workspace.tracker, run, model, graph, key, tags=tags, card=card, extras=extras)
    bounds = Bounds(gates(gate, figures["task"]), gate.serving)
    enter_candidate(workspace, run, version, graph, outcomes, Measured(metrics, frozenset(licences.values())), bounds)
    run.finish()
    return version


def outcomes_of(folds: Sequence[Trained]) -> Outcomes:
    """What became of each input of each fold; one without an answer is no hit."""
    protocol = sha256_bytes("".join(each.design.protocol for each in folds).encode())
    probes, subjects, hits = list[str](), list[str](), list[bool]()
    for number, each in enumerate(folds):
        answered = each.answered()
        probes += [f"{number}/{'/'.join(photos)}" for photos in each.design.validation.photos]
        subjects += answered.subjects
        hits += (answered.answers() == answered.truth).tolist()
    return outcomes_under(protocol, probes, subjects, hits)


def gate_metrics(figures: Mapping[str, Any], exported: Exported, latency: Latency) -> dict[str, float]:
    """What the gate looks at: accuracy over all folds, and the gain over photos one by one, as the paper has it."""
    ours = figures["models"]["resnet"]
    found = {"accuracy": ours["accuracy"], "parity_max_abs": exported.parity_max_abs, **latency_metrics(latency)}
    if "gain_over_photos" in ours:
        found["gain_over_photos"] = ours["gain_over_photos"]
    return found


def gates(config: ClassifierGateConfig, task_name: str) -> tuple[Gate, ...]:
    """The configured thresholds as data."""
    return (
        Gate("accuracy", at_least=float(getattr(config, task_name))),
        Gate("gain_over_photos", at_least=config.gain_over_photos),
        Gate("parity_max_abs", at_most=config.parity_max_abs),
    )


def classifier_card(figures: Mapping[str, Any], tags: Mapping[str, str], licences: Mapping[str, str]) -> str:
    """Markdown; every figure comes from `figures`."""
    text = files("tasks").joinpath("templates/classifier_card.md.j2").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True).from_string(text)  # noqa: S701 - Markdown
    return template.render(found=figures, tags=tags, licences=licences)

"""A model version in MLflow's registry: an ONNX graph with a signature, tags that say where it came from, a card."""

import importlib
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.files import sha256_bytes
from registry.errors import RegistryError
from registry.graphs import read_graph, signature
from registry.mlflow_errors import explained
from registry.runs import TrackedRun
from registry.tracking import KEY, Tracker, plain

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion

SHA256 = "trinormal.sha256"
PROTOCOL = "trinormal.protocol"
LICENCES = "trinormal.licences"
LINEAGE = "trinormal.lineage"
REQUIREMENTS = ("onnxruntime>=1.23", "onnx>=1.21", "numpy>=2.2")
GRAPH = "model.onnx"  # MLflow's name for it inside a model folder


class ModelVersion(NamedTuple):
    """One version of a registered model; `sha256` is that of its ONNX bytes."""

    model: str
    version: str
    sha256: str
    tags: dict[str, str]


def register(
    tracker: Tracker, run: TrackedRun, model: str, graph: bytes, key: str, *, tags: Mapping[str, str], card: str
) -> ModelVersion:
    """Register an ONNX graph as a new version of `model`; the same `key` again gives the version it has.

    `card` is Markdown and becomes the description. Raises `RegistryError` for a graph that is not valid, keeps its
    weights in other files or is known under that key with other bytes; `TrackingError` when MLflow does not answer.
    """
    read_graph(graph)
    with explained(tracker.tracking_uri):
        _ensure_model(tracker, model)
        known = _find(tracker, model, key) or _create(tracker, run, model, graph, key, tags, card)
    if known.sha256 != sha256_bytes(graph):
        raise RegistryError(f"{model} version {known.version} has key {key[:12]} but other bytes: the key is wrong")
    return known


def find_version(tracker: Tracker, model: str, version: str) -> ModelVersion:
    """A version by its number or by `@alias`; raises `TrackingError` when there is none."""
    with explained(tracker.tracking_uri):
        if version.startswith("@"):
            return _version(tracker.client.get_model_version_by_alias(model, version[1:]))
        return _version(tracker.client.get_model_version(model, version))


def fetch_graph(tracker: Tracker, found: ModelVersion) -> bytes:
    """The ONNX bytes of a version; raises `RegistryError` when they are not what was registered."""
    from mlflow.artifacts import download_artifacts

    with tempfile.TemporaryDirectory() as folder, explained(tracker.tracking_uri):
        source = tracker.client.get_model_version_download_uri(found.model, found.version)
        local = download_artifacts(f"{source}/{GRAPH}", dst_path=folder, tracking_uri=tracker.tracking_uri)
        graph = Path(local).read_bytes()
    if sha256_bytes(graph) != found.sha256:
        raise RegistryError(f"{found.model} version {found.version} is not what was registered: do not serve it")
    return graph


def _create(
    tracker: Tracker, run: TrackedRun, model: str, graph: bytes, key: str, tags: Mapping[str, str], card: str
) -> ModelVersion:
    """A new version; of two registrations at once everybody settles on the lower number."""
    logged = _upload(tracker, run, graph, model, key)
    version = tracker.client.create_model_version(
        model,
        logged.artifact_location,  # as `models:/ID` it would be looked up at MLflow's global address
        run_id=run.run_id,
        model_id=logged.model_id,
        tags={**tags, KEY: key, SHA256: sha256_bytes(graph)},
        description=card,
    )
    first = _find(tracker, model, key) or _version(version)
    if first.version != str(version.version):
        tracker.client.delete_model_version(model, str(version.version))
    return first


def _upload(tracker: Tracker, run: TrackedRun, graph: bytes, model: str, key: str) -> "LoggedModel":
    """Hand the graph over in MLflow's format, as a logged model, which is no version yet."""
    client, proto = tracker.client, read_graph(graph)
    experiment_id = client.get_run(run.run_id).info.experiment_id
    logged = client.create_logged_model(experiment_id, name=model, source_run_id=run.run_id, tags={KEY: key})
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "model"
        _onnx_flavour().save_model(
            proto,
            str(folder),
            signature=signature(proto),
            pip_requirements=list(REQUIREMENTS),
            onnx_execution_providers=["CPUExecutionProvider"],
            save_as_external_data=False,
            metadata={entry.key: entry.value for entry in proto.metadata_props} or None,
        )
        (folder / GRAPH).write_bytes(graph)  # byte for byte what was exported, so that its hash holds
        client.log_model_artifacts(logged.model_id, str(folder))
    return client.finalize_logged_model(logged.model_id, "READY")


def _onnx_flavour() -> Any:
    """MLflow's ONNX module. It pulls `pyfunc` in, which at its first import warns about MLflow's own type hints."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("mlflow.pyfunc")
        return importlib.import_module("mlflow.onnx")


def _ensure_model(tracker: Tracker, model: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        tracker.client.create_registered_model(model)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _find(tracker: Tracker, model: str, key: str) -> ModelVersion | None:
    query = f"name = '{plain(model)}' and tags.`{KEY}` = '{plain(key)}'"
    found = sorted(tracker.client.search_model_versions(query), key=lambda version: int(version.version))
    return _version(found[0]) if found else None


def _version(found: "MlflowVersion") -> ModelVersion:
    tags = dict(found.tags)
    return ModelVersion(found.name, str(found.version), tags.get(SHA256, ""), tags)

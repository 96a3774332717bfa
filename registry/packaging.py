"""A model version in MLflow's registry: a signed package around an ONNX graph, tags that say where it came from."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from infra.errors import PackageBroken
from infra.files import sha256_bytes
from infra.logging import mask_credentials
from infra.signed_folder import SignedFolder
from registry.errors import RegistryError, TrackingError
from registry.graphs import read_graph
from registry.mlflow_errors import explained
from registry.packages import GRAPH, Extras, Subject, download_package, write_package
from registry.runs import TrackedRun
from registry.tracking import KEY, Tracker, plain

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion

SHA256 = "trinormal.sha256"
PROTOCOL = "trinormal.protocol"
LICENCES = "trinormal.licences"
LINEAGE = "trinormal.lineage"
MANIFEST = "trinormal.manifest"
NO_EXTRAS = Extras()
ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}
"""What MLflow says of a version, or of an alias, that it does not know."""
MOST_NAMES = 20


class ModelVersion(NamedTuple):
    """One version of a registered model; `sha256` is that of its ONNX bytes."""

    model: str
    version: str
    sha256: str
    tags: dict[str, str]


def register(
    tracker: Tracker,
    run: TrackedRun,
    model: str,
    graph: bytes,
    key: str,
    *,
    tags: Mapping[str, str],
    card: str,
    extras: Extras = NO_EXTRAS,
) -> ModelVersion:
    """Register an ONNX graph as a new version of `model`; the same `key` again gives the version it has.

    `card` is Markdown and becomes the description; with `extras` it goes into the version's signed package. Raises
    `RegistryError` for a graph that is not valid, keeps its weights in other files or is known under that key with
    other bytes; `KeyRefused` where this home's key cannot sign; `TrackingError` when MLflow does not answer.
    """
    read_graph(graph)
    with explained(tracker.tracking_uri):
        _ensure_model(tracker, model)
        known = _find(tracker, model, key) or _create(tracker, run, graph, Subject(model, key), tags, card, extras)
    if known.sha256 != sha256_bytes(graph):
        raise RegistryError(f"{model} version {known.version} has key {key[:12]} but other bytes: the key is wrong")
    return known


def find_version(tracker: Tracker, model: str, version: str) -> ModelVersion:
    """A version by its number or by `@alias`; raises `TrackingError` that names those there are when there is none."""
    from mlflow.exceptions import MlflowException

    with explained(tracker.tracking_uri):
        try:
            if version.startswith("@"):
                return _version(tracker.client.get_model_version_by_alias(model, version[1:]))
            return _version(tracker.client.get_model_version(model, version))
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise
        said = _absent(tracker, model, version)
    raise TrackingError(said)


def fetch_package(tracker: Tracker, found: ModelVersion, folder: Path) -> SignedFolder:
    """A copy below `folder` of a version's package, every byte of it checked: the only way to a registered model.

    Raises `RegistryError` when anything in it is not what a trusted key signed for this very version.
    """
    where = f"{found.model} version {found.version}"
    try:
        with explained(tracker.tracking_uri):
            source = tracker.client.get_model_version_download_uri(found.model, found.version)
            signed = download_package(source, tracker.tracking_uri, folder, tracker.keys)
    except PackageBroken as error:
        raise RegistryError(f"{where} is not what was registered, do not serve it: {error}") from None
    graph = signed.manifest.files[GRAPH].sha256 if GRAPH in signed.manifest.files else ""
    told = (signed.digest, graph, signed.manifest.subject)
    if told != (found.tags.get(MANIFEST, ""), found.sha256, Subject(found.model, found.tags.get(KEY, ""))._asdict()):
        raise RegistryError(f"{where} is not what was registered, do not serve it: its package is that of another")
    return signed


def fetch_graph(tracker: Tracker, found: ModelVersion) -> bytes:
    """The ONNX bytes of a version, out of its package: see `fetch_package`."""
    with tempfile.TemporaryDirectory() as folder:
        return fetch_package(tracker, found, Path(folder)).read(GRAPH)


def _create(
    tracker: Tracker,
    run: TrackedRun,
    graph: bytes,
    subject: Subject,
    tags: Mapping[str, str],
    card: str,
    extras: Extras,
) -> ModelVersion:
    """A new version; of two registrations at once everybody settles on the lower number."""
    model, key = subject
    logged, digest = _upload(tracker, run, graph, subject, tags, card, extras)
    version = tracker.client.create_model_version(
        model,
        logged.artifact_location,  # as `models:/ID` it would be looked up at MLflow's global address
        run_id=run.run_id,
        model_id=logged.model_id,
        tags={**tags, KEY: key, SHA256: sha256_bytes(graph), MANIFEST: digest},
        description=card,
    )
    first = _find(tracker, model, key) or _version(version)
    if first.version != str(version.version):
        tracker.client.delete_model_version(model, str(version.version))
    return first


def _upload(
    tracker: Tracker,
    run: TrackedRun,
    graph: bytes,
    subject: Subject,
    tags: Mapping[str, str],
    card: str,
    extras: Extras,
) -> "tuple[LoggedModel, str]":
    """Hand the package over as a logged model, which is no version yet; also the SHA-256 of its manifest."""
    client = tracker.client
    experiment_id = client.get_run(run.run_id).info.experiment_id
    logged = client.create_logged_model(
        experiment_id, name=subject.model, source_run_id=run.run_id, tags={KEY: subject.key}
    )
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "model"
        digest = write_package(folder, graph, card, subject, tags, extras, tracker.keys)
        client.log_model_artifacts(logged.model_id, str(folder))
    return client.finalize_logged_model(logged.model_id, "READY"), digest


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


def _absent(tracker: Tracker, model: str, version: str) -> str:
    """That there is no such version, and which there are."""
    known = tracker.client.search_registered_models()
    names = {each.name: each.aliases for each in known}
    if model not in names:
        return (
            f"no model {model!r} in MLflow at {mask_credentials(tracker.tracking_uri)}: have {_listed(sorted(names))}"
        )
    numbers = sorted(int(each.version) for each in tracker.client.search_model_versions(f"name = '{plain(model)}'"))
    have = [*map(str, numbers), *(f"@{alias}" for alias in sorted(names[model]))]
    return f"{model} has no version {version}: have {_listed(have)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (", ..." if len(names) > MOST_NAMES else "") or "none"


def _version(found: "MlflowVersion") -> ModelVersion:
    tags = dict(found.tags)
    return ModelVersion(found.name, str(found.version), tags.get(SHA256, ""), tags)

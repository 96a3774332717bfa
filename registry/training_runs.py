"""The runs in MLflow that a model version came out of: what its training was told, and what it found."""

import json
import tempfile
from pathlib import Path
from typing import Any

from registry.mlflow_errors import explained
from registry.origins import PARENT, training_run
from registry.packaging import ModelVersion
from registry.runs import TrackedRun
from registry.tracking import Tracker

VARIANT = "variant"
DETAILS = "details.json"


def release_run(tracker: Tracker, model: str, version: str) -> TrackedRun:
    """The run that registered a version. Raises `TrackingError`."""
    with explained(tracker.tracking_uri):
        return TrackedRun(tracker, str(tracker.client.get_model_version(model, version).run_id))


def training_parameters(tracker: Tracker, version: ModelVersion) -> dict[str, str]:
    """Parameters, by dotted names, of the job's run under which a version was released. Raises `TrackingError`."""
    return dict(training_run(tracker, version).parameters)


def training_details(tracker: Tracker, version: ModelVersion) -> dict[str, dict[str, Any]]:
    """What each benchmark of the training said of this variant beyond rank-1, by the benchmark's name.

    Empty for versions without such files. Raises `TrackingError`.
    """
    from mlflow.artifacts import download_artifacts

    found: dict[str, dict[str, Any]] = {}
    with explained(tracker.tracking_uri), tempfile.TemporaryDirectory() as folder:
        released = tracker.client.get_run(str(tracker.client.get_model_version(version.model, version.version).run_id))
        parent, variant = released.data.tags.get(PARENT), released.data.tags.get(VARIANT)
        if parent is None or variant is None:
            return found
        for entry in tracker.client.list_artifacts(parent):
            wanted = f"{entry.path}/{variant}.{DETAILS}"
            if entry.is_dir and any(file.path == wanted for file in tracker.client.list_artifacts(parent, entry.path)):
                uri = tracker.tracking_uri
                local = download_artifacts(run_id=parent, artifact_path=wanted, dst_path=folder, tracking_uri=uri)
                found[str(entry.path)] = json.loads(Path(local).read_bytes())
    return found

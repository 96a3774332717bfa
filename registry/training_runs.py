"""The runs in MLflow that a model version came out of, and what its training was told."""

from registry.mlflow_errors import explained
from registry.packaging import ModelVersion
from registry.runs import TrackedRun
from registry.tracking import Tracker

PARENT = "mlflow.parentRunId"


def release_run(tracker: Tracker, model: str, version: str) -> TrackedRun:
    """The run that registered a version. Raises `TrackingError`."""
    with explained(tracker.tracking_uri):
        return TrackedRun(tracker.client, str(tracker.client.get_model_version(model, version).run_id))


def training_parameters(tracker: Tracker, version: ModelVersion) -> dict[str, str]:
    """Parameters, by dotted names, of the job's run under which a version was released. Raises `TrackingError`."""
    released = release_run(tracker, version.model, version.version)
    with explained(tracker.tracking_uri):
        run = tracker.client.get_run(released.run_id)
        parent = run.data.tags.get(PARENT)
        return dict((tracker.client.get_run(parent) if parent else run).data.params)

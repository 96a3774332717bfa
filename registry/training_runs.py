"""What a model version's training was told: the parameters of the run that it came out of."""

from registry.mlflow_errors import explained
from registry.packaging import ModelVersion
from registry.tracking import Tracker

PARENT = "mlflow.parentRunId"


def training_parameters(tracker: Tracker, version: ModelVersion) -> dict[str, str]:
    """Parameters, by dotted names, of the job's run under which a version was released. Raises `TrackingError`."""
    with explained(tracker.tracking_uri):
        released = tracker.client.get_model_version(version.model, version.version).run_id
        run = tracker.client.get_run(str(released))
        parent = run.data.tags.get(PARENT)
        return dict((tracker.client.get_run(parent) if parent else run).data.params)

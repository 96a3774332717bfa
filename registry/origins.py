"""Where a model version came from: the run of the job that trained it."""

from collections.abc import Mapping
from typing import NamedTuple

from registry.mlflow_errors import explained
from registry.packaging import ModelVersion
from registry.tracking import Tracker

PARENT = "mlflow.parentRunId"


class TrainingRun(NamedTuple):
    """The job's run under which a version was released; parameters by dotted names."""

    run_id: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]


def training_run(tracker: Tracker, version: ModelVersion) -> TrainingRun:
    """The run of the job that a version came out of. Raises `TrackingError`."""
    with explained(tracker.tracking_uri):
        released = tracker.client.get_model_version(version.model, version.version).run_id
        run = tracker.client.get_run(str(released))
        parent = run.data.tags.get(PARENT)
        job = tracker.client.get_run(parent) if parent else run
        return TrainingRun(job.info.run_id, dict(job.data.params), dict(job.data.tags))

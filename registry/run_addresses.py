"""Where people see a run in MLflow's UI."""

from registry.mlflow_errors import explained
from registry.tracking import Tracker


def run_address(tracker: Tracker, ui: str, run_id: str) -> str:
    """The page of a run below `ui`, the address of MLflow's server. Raises `TrackingError`."""
    with explained(tracker.tracking_uri):
        experiment = tracker.client.get_run(run_id).info.experiment_id
    return f"{ui.rstrip('/')}/#/experiments/{experiment}/runs/{run_id}"

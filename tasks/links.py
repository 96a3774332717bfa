"""The way from a flow run in Prefect to its run in MLflow, and back."""

from prefect.artifacts import create_link_artifact
from prefect.runtime import flow_run

from infra.settings import Settings
from registry.run_addresses import run_address
from tasks.wiring import Workspace

FLOW_RUN, FLOW_RUN_URL = "prefect.flow_run", "prefect.url"


def flow_run_tags(settings: Settings, attempt: str) -> dict[str, str]:
    """What a run in MLflow says of the flow run that it is of: its id, and its address where there is a UI."""
    if not settings.prefect_ui_url:
        return {FLOW_RUN: attempt}
    return {FLOW_RUN: attempt, FLOW_RUN_URL: f"{settings.prefect_ui_url.rstrip('/')}/runs/flow-run/{attempt}"}


def link_run(workspace: Workspace, run_id: str, title: str) -> None:
    """An artifact of the flow run that leads to MLflow; none where no UI is known or no flow runs."""
    ui = workspace.settings.mlflow_ui_url
    if ui and flow_run.get_id() is not None:
        create_link_artifact(run_address(workspace.tracker, ui, run_id), title, key="mlflow-run", description=run_id)


def link_file(workspace: Workspace, run_id: str, name: str, title: str) -> None:
    """An artifact that leads to a file of a run in MLflow."""
    ui = workspace.settings.mlflow_ui_url
    if ui and flow_run.get_id() is not None:
        address = f"{run_address(workspace.tracker, ui, run_id)}/artifacts/{name}"
        create_link_artifact(address, title, key=name.replace(".", "-"), description=run_id)

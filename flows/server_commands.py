"""The commands `up`, `down`, `status` and `serve`, and `lend` for machines that help with trainings."""

from typing import Annotated

import typer

from flows.serving import Asked
from flows.serving import down as stop_all
from flows.serving import serve as serve_all
from flows.serving import status as tell_status
from flows.serving import up as start_all

PrefectPort = Annotated[int | None, typer.Option(help="Port of Prefect; else 4200, or another where it is in use.")]
MlflowPort = Annotated[int | None, typer.Option(help="Port of MLflow; else 5000, or another where it is in use.")]
Auth = Annotated[
    bool | None, typer.Option("--auth/--no-auth", help="Ask for passwords, made and kept in the home; else as before.")
]


def up(prefect_port: PrefectPort = None, mlflow_port: MlflowPort = None, auth: Auth = None) -> None:
    """Start Prefect, MLflow and a runner with the deployments, kept running in the background."""
    start_all(Asked(prefect_port, mlflow_port, auth))


def serve(prefect_port: PrefectPort = None, mlflow_port: MlflowPort = None, auth: Auth = None) -> None:
    """The same in the foreground, until Ctrl-C: for containers and service managers."""
    serve_all(Asked(prefect_port, mlflow_port, auth))


def down() -> None:
    """Stop what `up` started."""
    stop_all()


def status() -> None:
    """How the servers and the runner are, and where; exit code 1 when something is not up."""
    if not tell_status():
        raise typer.Exit(1)


def lend(
    node: Annotated[int, typer.Argument(help="Which node this is: 1 to TRINORMAL_TRAINING_NODES less one.")],
) -> None:
    """Lend this machine to the trainings of the one where flows run, until Ctrl-C; both have the same settings."""
    from infra.settings import load_settings
    from tasks.lending import lend as wait_for_trainings

    wait_for_trainings(load_settings(), node)

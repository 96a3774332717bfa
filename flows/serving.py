"""`trinormal serve`: both servers, and a runner that carries out what the Prefect UI asks for."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from flows.runner import carry_out
from flows.servers import HOST, answers, mlflow_server, prefect_server, require_free, running
from infra.files import atomic_write_json, remove
from infra.settings import load_settings
from models.errors import ConfigurationError
from tasks.files import read_json

console = Console()


def serve(prefect_port: int, mlflow_port: int) -> None:
    """Start everything and stay until Ctrl-C; raises `ConfigurationError` when a port is taken."""
    if prefect_port == mlflow_port:
        raise ConfigurationError(f"both servers on port {prefect_port}; choose two ports")
    require_free(prefect_port, "--prefect-port")
    require_free(mlflow_port, "--mlflow-port")
    settings = load_settings()
    api = f"http://{HOST}:{prefect_port}/api"
    variables = {"PREFECT_API_URL": api, "PREFECT_UI_API_URL": api, "PREFECT_SERVER_UI_API_URL": api}
    os.environ.update(variables)
    logs = settings.home / "logs"
    servers = [
        prefect_server(prefect_port, logs),
        mlflow_server(mlflow_port, settings.mlflow_tracking_uri, settings.mlflow_artifacts, logs),
    ]
    settings.mlflow_artifacts.mkdir(parents=True, exist_ok=True)
    console.print("starting Prefect and MLflow ...")
    with running(servers, variables), _known(settings.home, api):
        console.print(f"Prefect  http://{HOST}:{prefect_port}   deployment train-recognizer/retrain")
        console.print(f"MLflow   http://{HOST}:{mlflow_port}   experiment recognizer, model recognizer")
        console.print("Ctrl-C stops both servers and the runner")
        carry_out()


def use_running_server(home: Path) -> None:
    """Let a command's flows show up in the server that `serve` started, if it still answers."""
    note = home / "servers.json"
    if note.is_file() and "PREFECT_API_URL" not in os.environ:
        api = str(read_json(note)["prefect_api"])
        if answers(f"{api}/health"):
            os.environ["PREFECT_API_URL"] = api


@contextmanager
def _known(home: Path, api: str) -> Generator[None]:
    note = home / "servers.json"
    atomic_write_json(note, {"prefect_api": api})
    try:
        yield
    finally:
        remove(note)

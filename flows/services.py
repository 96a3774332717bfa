"""The three processes behind `trinormal up`: what each runs, in what environment, and where it says that it is well.

Addresses of databases and passwords go by environment or by files that only their owner may read; a command line can be
read by everybody on the machine.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from flows.credentials import Credentials
from flows.guard import addresses
from infra.environment import environment
from infra.secret_files import write_secret
from infra.settings import Settings

HOST = "127.0.0.1"
AUTH_INI = """[mlflow]
default_permission = NO_PERMISSIONS
database_uri = {database}
"""


class Service(NamedTuple):
    """A process to keep running. It is well when `health_url` answers and `ready_file`, which it makes, is there."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    health_url: str | None = None
    ready_file: Path | None = None
    after: tuple[str, ...] = ()


class Plan(NamedTuple):
    """Where the servers answer, and what clients need to know."""

    prefect: str
    mlflow: str
    tracking_uri: str
    services: tuple[Service, ...]


def plan_services(settings: Settings, credentials: Credentials, prefect_port: int, mlflow_port: int) -> Plan:
    """What is to run. A server that the settings name elsewhere is used and not started."""
    prefect = settings.prefect_api_url or f"http://{HOST}:{prefect_port}/api"
    elsewhere = settings.mlflow_tracking_uri.startswith(("http:", "https:"))
    mlflow = settings.mlflow_tracking_uri if elsewhere else f"http://{HOST}:{mlflow_port}"
    tracking = mlflow if through_server(settings, credentials) else settings.mlflow_tracking_uri
    base = {**environment(settings), **credentials.variables(), "PREFECT_API_URL": prefect}
    services: list[Service] = []
    if not settings.prefect_api_url:
        services.append(_prefect(settings, credentials, prefect_port, base))
    if not elsewhere:
        services.append(_mlflow(settings, credentials, mlflow_port, base))
    known = {**base, "TRINORMAL_PREFECT_API_URL": prefect, "TRINORMAL_MLFLOW_TRACKING_URI": tracking}
    known |= {"MLFLOW_TRACKING_URI": tracking, **_links(prefect, mlflow)}
    started = tuple(service.name for service in services)
    ready = runner_file(settings.home)
    services.append(Service("runner", [sys.executable, "-m", "flows.runner"], known, ready_file=ready, after=started))
    return Plan(prefect, mlflow, tracking, tuple(services))


def through_server(settings: Settings, credentials: Credentials) -> bool:
    """Whether flows reach MLflow by its server: where it asks for passwords, or hands out files that lie in S3.

    Otherwise they write to its database, which holds when the server is down.
    """
    elsewhere = settings.mlflow_tracking_uri.startswith(("http:", "https:"))
    return elsewhere or credentials.mlflow is not None or bool(settings.artifacts_url)


def _links(prefect: str, mlflow: str) -> dict[str, str]:
    """Where people look at runs, for the links between both."""
    return {"TRINORMAL_PREFECT_UI_URL": prefect.removesuffix("/api"), "TRINORMAL_MLFLOW_UI_URL": mlflow}


def _prefect(settings: Settings, credentials: Credentials, port: int, base: Mapping[str, str]) -> Service:
    api = f"http://{HOST}:{port}/api"
    origins = ",".join(f"http://{name}" for name in addresses(port))
    own = {"PREFECT_UI_API_URL": api, "PREFECT_SERVER_UI_API_URL": api, "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": origins}
    database = settings.prefect_database_url.get_secret_value()
    if database:
        own["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database
    if credentials.prefect is not None:
        own["PREFECT_SERVER_API_AUTH_STRING"] = credentials.prefect.get_secret_value()
    command = [sys.executable, "-m", "flows.prefect_app", str(port)]
    return Service("prefect", command, {**base, **own}, f"{api}/health")


def _mlflow(settings: Settings, credentials: Credentials, port: int, base: Mapping[str, str]) -> Service:
    names = addresses(port, settings.proxy_hosts())
    own = {
        "MLFLOW_BACKEND_STORE_URI": settings.mlflow_tracking_uri,
        "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(names),
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": ",".join(f"http://{name}" for name in names),
        **_artifacts(settings),
    }
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    command += ["--uvicorn-opts", "--log-level warning"]  # else every look at its health is a line
    if settings.artifacts_url == "":
        command.append("--no-serve-artifacts")
    if credentials.mlflow is not None:
        own |= _mlflow_auth(settings, credentials)
        command += ["--app-name", "basic-auth"]
    return Service("mlflow", command, {**base, **own}, f"http://{HOST}:{port}/health")


def _artifacts(settings: Settings) -> dict[str, str]:
    """S3 is reached by the server alone; a folder is reached by everybody on this machine, also when no server runs."""
    if settings.artifacts_url:
        return {"MLFLOW_ARTIFACTS_DESTINATION": settings.artifacts_url}
    return {"MLFLOW_DEFAULT_ARTIFACT_ROOT": settings.mlflow_artifacts.absolute().as_uri()}


def _mlflow_auth(settings: Settings, credentials: Credentials) -> dict[str, str]:
    ini = auth_file(settings.home)
    database = settings.mlflow_tracking_uri
    if database.startswith("sqlite:"):
        database = f"sqlite:///{settings.home / 'mlflow' / 'auth.db'}"
        (settings.home / "mlflow").mkdir(parents=True, exist_ok=True)
    write_secret(ini, AUTH_INI.format(database=database.replace("%", "%%")))
    password, key = credentials.mlflow, credentials.flask_key
    return {
        "MLFLOW_AUTH_CONFIG_PATH": str(ini),
        "MLFLOW_AUTH_ADMIN_USERNAME": credentials.mlflow_user,
        "MLFLOW_AUTH_ADMIN_PASSWORD": password.get_secret_value() if password else "",
        "MLFLOW_FLASK_SERVER_SECRET_KEY": key.get_secret_value() if key else "",
    }


def runner_file(home: Path) -> Path:
    """There as long as the runner has made its deployments known."""
    return home / "run" / "runner.ready"


def auth_file(home: Path) -> Path:
    """The configuration of MLflow's users; it names their database."""
    return home / "keys" / "mlflow-auth.ini"

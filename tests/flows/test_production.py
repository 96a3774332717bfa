"""The whole job on PostgreSQL, S3 and passwords: nobody else is let in, and no secret stands where it should not."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.flows.conftest import FirstRun
from tests.flows.production import BUCKET, DATABASE_PASSWORD, S3_SECRET, Site, site
from tests.flows.servers_up import Up, supervisor_family, up
from tests.flows.trinormal_command import figures, new_sandbox, results_of, run, seed_home

pytestmark = [pytest.mark.slow, pytest.mark.servers, pytest.mark.timeout(2400)]
RETRAIN = "train-recognizer/retrain"
WRONG = (None, ("trinormal", "guessed"), ("admin", "password1234"))
OPEN_IN_PREFECT = {"/health", "/ready"}
OPEN_IN_MLFLOW = re.compile(r"^/(health|version|static-files/.*)$")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def servers(unbroken: FirstRun, here: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Everything on, over a home that holds every artefact of profile tiny and no run yet."""
    assert unbroken.code == 0, unbroken.errors
    sandbox = new_sandbox(tmp_path_factory.mktemp("production"))
    seed_home(unbroken.sandbox.home, sandbox.home, without=())
    with up(sandbox, "--auth", **here.environment) as made:
        kept = json.loads((sandbox.home / "keys" / "servers.json").read_text())
        user, _, password = kept["prefect"].partition(":")
        yield made._replace(prefect_auth=(user, password), mlflow_auth=("trinormal", kept["mlflow"]))


def secrets(servers: Up) -> dict[str, bytes]:
    kept = json.loads((servers.sandbox.home / "keys" / "servers.json").read_text())
    told = {"database": DATABASE_PASSWORD, "S3": S3_SECRET, "MLflow": kept["mlflow"], "form key": kept["flask_key"]}
    return {name: secret.encode() for name, secret in {**told, "Prefect": kept["prefect"].partition(":")[2]}.items()}


def test_the_doctor_finds_all_of_it_well(servers: Up):
    told = run(servers.sandbox, "doctor", **servers.environment)
    assert told.returncode == 0, told.stdout
    for what in ("Prefect's database", "MLflow's database", f"s3://{BUCKET}/mlflow: written and read back"):
        assert what in told.stdout
    assert DATABASE_PASSWORD not in told.stdout


def test_the_whole_job_ends_as_it_does_without_all_that(servers: Up, unbroken: FirstRun, here: Site):
    status, flow_run = servers.create_run(RETRAIN, {"profile": "tiny"})
    assert status == 201
    finished = servers.wait_for(flow_run["id"])
    assert finished["state"]["type"] == "COMPLETED", servers.logs(flow_run["id"])
    assert figures(results_of(servers.sandbox.home)) == figures(results_of(unbroken.sandbox.home))
    names = [key for key, _ in here.objects()]
    assert any(name.endswith("report.html") for name in names)
    assert any(name.endswith("model.onnx") for name in names)
    assert not (servers.sandbox.home / "trinormal.db").exists()
    assert not (servers.sandbox.home / "prefect" / "prefect.db").exists()
    assert not (servers.sandbox.home / "mlflow" / "mlflow.db").exists()


def test_a_command_beside_it_uses_the_same_servers_and_passwords(servers: Up):
    done = run(servers.sandbox, "demo", "--profile", "tiny", **servers.environment)
    assert done.returncode == 0, done.stderr
    _, found = servers.call("/flow_runs/filter", {})
    assert len([each for each in found if each["state"]["type"] == "COMPLETED"]) == 2
    assert len(servers.runs("recognizer")) == len(
        {each["tags"]["trinormal.key"] for each in servers.runs("recognizer")}
    )


def test_no_secret_is_in_any_file_row_object_or_command_line(servers: Up, here: Site):
    hidden = secrets(servers)
    keys = servers.sandbox.home / "keys"
    files = [path for path in servers.sandbox.home.parent.rglob("*") if path.is_file() and keys not in path.parents]
    places: list[tuple[str, bytes]] = [(str(path), path.read_bytes()) for path in files]
    places += [*here.rows(), *here.objects()]
    family = supervisor_family(servers.sandbox)
    places += [(f"process {each.pid}", " ".join(each.cmdline()).encode()) for each in family]
    assert len(places) > 500
    assert len(family) >= 7
    found = [(place, name) for place, content in places for name, secret in hidden.items() if secret in content]
    assert found == []
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys.iterdir())


def prefect_routes(servers: Up) -> list[tuple[str, str]]:
    """Every method and path of Prefect's API, its parameters filled in."""
    schema = httpx.get(f"{servers.prefect}/openapi.json", auth=servers.prefect_auth, timeout=120).json()
    return [
        (method.upper(), re.sub(r"\{[^}]*\}", str(uuid4()), path.removeprefix("/api")))
        for path, operations in schema["paths"].items()
        for method in operations
    ]


def mlflow_routes() -> list[tuple[str, str]]:
    """Every method and path of MLflow's server: of the Flask application, and of the one around it."""
    from mlflow.server import app as flask
    from mlflow.server.fastapi_app import app as around

    rules = [(method, rule.rule) for rule in flask.url_map.iter_rules() for method in (rule.methods or ())]
    rules += [(method, route.path) for route in around.routes for method in getattr(route, "methods", None) or ()]  # pyright: ignore
    wanted = {(method, re.sub(r"<[^>]*>|\{[^}]*\}", "x", path)) for method, path in rules}
    return sorted((method, path) for method, path in wanted if method in ("GET", "POST", "PUT", "PATCH", "DELETE"))


def answers_of(base: str, routes: list[tuple[str, str]], **more: Any) -> dict[tuple[str, str], int]:
    with httpx.Client(timeout=120) as client:
        return {
            (method, path): client.request(
                method, base + path, json={} if method != "GET" else None, **more
            ).status_code
            for method, path in routes
        }


@pytest.mark.parametrize("auth", WRONG)
def test_without_the_right_password_nothing_of_prefect_answers(servers: Up, auth: tuple[str, str] | None):
    routes = prefect_routes(servers)
    assert len(routes) > 150
    answered = answers_of(servers.prefect, routes, auth=auth)
    let_in = {route: status for route, status in answered.items() if status != 401 and route[1] not in OPEN_IN_PREFECT}
    assert let_in == {}


@pytest.mark.parametrize("auth", WRONG)
def test_without_the_right_password_nothing_of_mlflow_answers(servers: Up, auth: tuple[str, str] | None):
    routes = mlflow_routes()
    assert len(routes) > 150
    answered = answers_of(servers.mlflow, routes, auth=auth)
    let_in = {
        route: status
        for route, status in answered.items()
        if status not in (401, 403, 404, 405) and not OPEN_IN_MLFLOW.match(route[1])
    }
    assert let_in == {}
    assert sum(status == 401 for status in answered.values()) > 100


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:4200"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
    ],
)
def test_foreign_names_are_refused_by_every_route_even_with_the_password(servers: Up, headers: dict[str, str]):
    routes = [*prefect_routes(servers), ("GET", "/../"), ("GET", "/../deployments"), ("OPTIONS", "/flows/filter")]
    answered = answers_of(servers.prefect, routes, auth=servers.prefect_auth, headers=headers)
    assert {route: status for route, status in answered.items() if status != 403} == {}
    routes = [route for route in mlflow_routes() if not OPEN_IN_MLFLOW.match(route[1])]
    if "origin" in headers:  # reading across origins is what browsers refuse, where no header allows it
        reply = httpx.get(f"{servers.mlflow}/", headers=headers, auth=servers.mlflow_auth, timeout=120)
        assert "access-control-allow-origin" not in reply.headers
        routes = [(method, path) for method, path in routes if method != "GET" and "/api/" in path]
    answered = answers_of(servers.mlflow, routes, auth=servers.mlflow_auth, headers=headers)
    assert len(answered) > 50
    assert {route: status for route, status in answered.items() if status not in (403, 405)} == {}


@pytest.mark.parametrize("path", ["/events/in", "/events/out", "/logs/out"])
@pytest.mark.parametrize("token", [None, "", "trinormal:guessed"])
def test_web_sockets_want_the_password_and_our_own_origin(servers: Up, path: str, token: str | None):
    url = servers.prefect.replace("http:", "ws:") + path

    async def let_in(token: str | None, origin: str | None) -> bool:
        try:
            async with connect(url, subprotocols=["prefect"], origin=origin, open_timeout=120) as socket:  # pyright: ignore
                await socket.send(json.dumps({"type": "auth", "token": token}))
                return json.loads(await asyncio.wait_for(socket.recv(), 120)).get("type") == "auth_success"
        except (ConnectionClosed, InvalidStatus):
            return False

    assert servers.prefect_auth is not None
    right = ":".join(servers.prefect_auth)
    assert asyncio.run(let_in(right, None))
    assert asyncio.run(let_in(right, servers.prefect.removesuffix("/api")))
    assert not asyncio.run(let_in(right, "http://evil.example"))
    assert not asyncio.run(let_in(token, None))


def test_the_logs_tell_something(servers: Up):
    logs = servers.sandbox.home / "logs"
    assert {path.name for path in logs.glob("*.log")} >= {"prefect.log", "mlflow.log", "runner.log", "supervisor.log"}
    assert Path(logs / "runner.log").stat().st_size > 0

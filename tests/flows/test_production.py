"""The demo as an institution runs it: PostgreSQL, S3, passwords; nothing secret is left behind, nobody is let in."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from tests.flows.conftest import FirstRun
from tests.flows.servers_up import Up, up
from tests.flows.trinormal_command import figures, new_sandbox, results_of, run, seed_home
from tests.infra.buckets import s3_server
from tests.infra.databases import POSTGRES

pytestmark = [pytest.mark.unproven, pytest.mark.slow, pytest.mark.servers, pytest.mark.timeout(1800)]
DATABASES = ("trinormal", "prefect", "mlflow")
IN_URLS = "pg-S3CRET-of-the-database"
OF_BUCKET = "s3-S3CRET-of-the-bucket"
MADE_ANEW = {"evaluation", "onnx"}
"""Stages that the run makes itself, so that the shared store is written; all others come from the unbroken run."""


class Production(NamedTuple):
    """Servers that are up, the run that a person started, and all that nobody may find anywhere."""

    servers: Up
    run: dict[str, Any]
    bucket: Any
    databases: dict[str, str]
    secrets: dict[str, str]


@pytest.fixture(scope="module")
def databases() -> Iterator[dict[str, str]]:
    """URLs of three empty databases, with a password in each; dropped afterwards."""
    pytest.importorskip("psycopg", reason="no PostgreSQL driver")
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    names = {name: f"trinormal_{name}_{uuid4().hex[:12]}" for name in DATABASES}
    user = f"trinormal_{uuid4().hex[:12]}"
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{IN_URLS}'"))
            for name in names.values():
                connection.execute(text(f"CREATE DATABASE {name} OWNER {user}"))
    except SQLAlchemyError:
        pytest.skip("no PostgreSQL answers; set TRINORMAL_TEST_POSTGRES_URL")
    own = make_url(POSTGRES).set(drivername="postgresql", username=user, password=IN_URLS)
    yield {what: own.set(database=name).render_as_string(hide_password=False) for what, name in names.items()}
    with server.connect() as connection:
        for name in names.values():
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        connection.execute(text(f"DROP ROLE {user}"))
    server.dispose()


@pytest.fixture(scope="module")
def production(
    unbroken: FirstRun, databases: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Production]:
    assert unbroken.code == 0, unbroken.errors
    sandbox = new_sandbox(tmp_path_factory.mktemp("production"))
    seed_home(unbroken.sandbox.home, sandbox.home, without=MADE_ANEW)
    with s3_server() as endpoint:
        keys = {
            "AWS_ENDPOINT_URL": endpoint,
            "MLFLOW_S3_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": OF_BUCKET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        bucket = bucket_at(endpoint, f"production-{uuid4().hex[:12]}")
        settings = {
            "TRINORMAL_DATABASE_URL": databases["trinormal"],
            "TRINORMAL_PREFECT_DATABASE_URL": databases["prefect"],
            "TRINORMAL_MLFLOW_TRACKING_URI": databases["mlflow"].replace("postgresql:", "postgresql+psycopg:"),
            "TRINORMAL_ARTIFACTS_URL": f"s3://{bucket.name}/mlflow",
            "TRINORMAL_STORE_URL": f"s3://{bucket.name}/store",
        }
        with up(sandbox, "--auth", **keys, **settings) as opened:
            made = json.loads((sandbox.home / "keys" / "servers.json").read_text())
            user, _, password = made["prefect"].partition(":")
            servers = opened._replace(prefect_auth=(user, password), mlflow_auth=("trinormal", made["mlflow"]))
            status, flow_run = servers.without_reactions().create_run("train-recognizer/retrain", {"profile": "tiny"})
            assert status == 201, flow_run
            finished = servers.wait_for(flow_run["id"])
            secrets = {"database": IN_URLS, "bucket": OF_BUCKET, "prefect": password}
            secrets |= {"mlflow": made["mlflow"], "forms": made["flask_key"]}
            yield Production(servers, finished, bucket, databases, secrets)


def bucket_at(endpoint: str, name: str) -> Any:
    import boto3

    resource: Any = boto3.resource(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="somebody",
        aws_secret_access_key=OF_BUCKET,
        region_name="us-east-1",
    )
    found = resource.Bucket(name)
    found.create()
    return found


def rows(url: str, query: str) -> list[Any]:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        found = list(connection.execute(text(query)).scalars())
    engine.dispose()
    return found


def test_the_demo_ends_with_the_figures_of_one_machine(production: Production, unbroken: FirstRun):
    servers = production.servers
    assert production.run["state"]["type"] == "COMPLETED", servers.logs(production.run["id"])
    assert figures(results_of(servers.sandbox.home)) == figures(results_of(unbroken.sandbox.home))
    model = servers.ask_mlflow("/registered-models/get?name=recognizer-tiny")["registered_model"]
    assert [(each["alias"], each["version"]) for each in model["aliases"]] == [("champion", "1")]


def test_all_is_kept_in_postgresql_and_in_the_bucket(production: Production):
    home = production.servers.sandbox.home
    assert rows(production.databases["prefect"], "select state_type::text from flow_run") == ["COMPLETED"]
    assert "FINISHED" in rows(production.databases["mlflow"], "select status from runs")
    assert rows(production.databases["trinormal"], "select count(*) from artefact")[0] > 10
    assert not [path for path in home.rglob("*.db") if "cache" not in path.parts]
    objects = [each.key for each in production.bucket.objects.all()]
    assert any(name.startswith("mlflow/") and name.endswith(".onnx") for name in objects)
    for stage in MADE_ANEW:
        assert any(name.startswith(f"store/{stage}/") and name.endswith("manifest.json") for name in objects), stage


def test_nothing_secret_is_in_logs_files_objects_or_databases(production: Production, tmp_path: Path):
    """Every byte below the home but the passwords' own folder, every object, and a dump of each database."""
    servers = production.servers
    told = run(servers.sandbox, "status", **servers.environment).stdout
    places = {"status": told.encode(), **dumped(production.databases, tmp_path)}
    home = servers.sandbox.home
    for path in (path for path in home.rglob("*") if path.is_file() and path.parent != home / "keys"):
        places[str(path.relative_to(home))] = path.read_bytes()
    for each in production.bucket.objects.all():
        places[f"s3:{each.key}"] = each.get()["Body"].read()
    assert len(places) > 100
    found = [
        (what, where)
        for where, held in places.items()
        for what, secret in production.secrets.items()
        if secret.encode() in held
    ]
    assert found == []
    planted = {**places, "planted": b"postgresql://me:" + IN_URLS.encode() + b"@host"}
    assert [where for where, held in planted.items() if IN_URLS.encode() in held] == ["planted"]
    assert [path.name for path in (home / "keys").iterdir() if path.stat().st_mode & 0o077] == []


def dumped(databases: dict[str, str], folder: Path) -> dict[str, bytes]:
    held: dict[str, bytes] = {}
    for what, url in databases.items():
        subprocess.run(["pg_dump", "--format=plain", f"--file={folder / what}", f"--dbname={url}"], check=True)
        held[f"dump of {what}"] = (folder / what).read_bytes()
    return held


def test_wrong_passwords_and_none_are_refused(production: Production):
    servers = production.servers
    probes = [(f"{servers.prefect}/flow_runs/filter", "POST"), (f"{servers.prefect}/deployments/filter", "POST")]
    probes += [(f"{servers.mlflow}/api/2.0/mlflow/experiments/search?max_results=5", "GET")]
    probes += [(f"{servers.mlflow}/api/2.0/mlflow/registered-models/get?name=recognizer-tiny", "GET")]
    for url, method in probes:
        for auth in (None, ("trinormal", "wrong"), ("nobody", production.secrets["mlflow"])):
            reply = httpx.request(method, url, json={} if method == "POST" else None, auth=auth, timeout=120)
            assert reply.status_code == 401, (url, auth)
        right = servers.prefect_auth if url.startswith(servers.prefect) else servers.mlflow_auth
        assert httpx.request(method, url, json={} if method == "POST" else None, auth=right, timeout=120).is_success


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_a_foreign_host_and_a_foreign_page_are_refused_even_with_the_password(
    production: Production, header: dict[str, str]
):
    servers = production.servers
    probes = [
        (f"{servers.prefect}/flow_runs/filter", servers.prefect_auth),
        (f"{servers.mlflow}/api/2.0/mlflow/experiments/create", servers.mlflow_auth),
    ]
    for url, auth in probes:
        reply = httpx.post(url, json={"name": f"evil-{time.time_ns()}"}, auth=auth, headers=header, timeout=120)
        assert reply.status_code == 403, (url, reply.text)
        assert "access-control-allow-origin" not in reply.headers
    found = servers.ask_mlflow("/experiments/search?max_results=100")["experiments"]
    assert not [each for each in found if each["name"].startswith("evil")]

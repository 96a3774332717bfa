"""What stands for a production site: PostgreSQL, a stand-in for S3, and passwords that must be nowhere else."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from flows.servers import free_port
from tests.infra.databases import POSTGRES

DATABASE_PASSWORD, S3_KEY, S3_SECRET = "db-pa55-of-tests", "AKIATESTSONLY", "s3-s3cret-of-tests"
BUCKET = "trinormal"
DATABASES = ("catalogue", "prefect", "mlflow")


class Site(NamedTuple):
    """Settings of the site, and how to look into its stores."""

    environment: dict[str, str]
    databases: dict[str, str]
    s3: str

    def rows(self) -> Iterator[tuple[str, bytes]]:
        """Every row of every table of every database as text, and where it stands."""
        for name, url in self.databases.items():
            with psycopg.connect(url) as connection:
                tables = connection.execute(
                    "select format('%I.%I', schemaname, tablename) from pg_tables "
                    "where schemaname not in ('pg_catalog', 'information_schema')"
                ).fetchall()
                for (table,) in tables:
                    for (row,) in connection.execute(f"select t::text from {table} t"):  # noqa: S608 - quoted above
                        yield f"{name}.{table}", row.encode()

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """Every object in S3."""
        import boto3

        client = boto3.client("s3", endpoint_url=self.s3, aws_access_key_id=S3_KEY, aws_secret_access_key=S3_SECRET)
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for each in page.get("Contents", []):
                yield each["Key"], client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()


@contextlib.contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Databases of their own and an empty bucket, gone afterwards."""
    with contextlib.ExitStack() as stack:
        databases = stack.enter_context(_databases())
        endpoint = stack.enter_context(_object_store(folder))
        environment = {
            "TRINORMAL_DATABASE_URL": databases["catalogue"],
            "TRINORMAL_PREFECT_DATABASE_URL": databases["prefect"],
            "TRINORMAL_MLFLOW_TRACKING_URI": databases["mlflow"].replace("postgresql:", "postgresql+psycopg:"),
            "TRINORMAL_ARTIFACTS_URL": f"s3://{BUCKET}/mlflow",
            "AWS_ACCESS_KEY_ID": S3_KEY,
            "AWS_SECRET_ACCESS_KEY": S3_SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": endpoint,
        }
        yield Site(environment, databases, endpoint)


@contextlib.contextmanager
def _databases() -> Iterator[dict[str, str]]:
    server = make_url(POSTGRES).set(drivername="postgresql")
    tag = uuid4().hex[:10]
    try:
        connection = psycopg.connect(server.render_as_string(hide_password=False), autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL answers; set TRINORMAL_TEST_POSTGRES_URL")
    names = {name: f"trinormal_{name}_{tag}" for name in DATABASES}
    with connection:
        for database in names.values():
            connection.execute(f"create database {database}")
        try:
            password = server.password or DATABASE_PASSWORD  # where the server trusts us, any will do
            yield {
                name: server.set(database=database, password=password).render_as_string(hide_password=False)
                for name, database in names.items()
            }
        finally:
            for database in names.values():
                connection.execute(f"drop database if exists {database} with (force)")


@contextlib.contextmanager
def _object_store(folder: Path) -> Iterator[str]:
    pytest.importorskip("moto", reason="no stand-in for S3: pip install 'moto[server]'")
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "s3.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)})
    try:
        _wait(endpoint, process)
        httpx.put(f"{endpoint}/{BUCKET}", timeout=60).raise_for_status()
        yield endpoint
    finally:
        process.terminate()
        process.wait(30)


def _wait(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 280
    while time.monotonic() < deadline:
        assert process.poll() is None, "the stand-in for S3 ended"
        with contextlib.suppress(httpx.TransportError):
            httpx.get(endpoint, timeout=5)
            return
        time.sleep(0.2)
    raise AssertionError("the stand-in for S3 never answered")

"""A migrated database for a test: SQLite always, PostgreSQL where one answers."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from infra.database import migrate, open_engine

POSTGRES = os.environ.get("TRINORMAL_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")


def postgres_schema() -> Iterator[str]:
    """The URL of a new schema, dropped afterwards."""
    pytest.importorskip("psycopg", reason="no PostgreSQL driver")
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    schema = f"trinormal_{uuid4().hex}"
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except SQLAlchemyError:
        pytest.skip("no PostgreSQL answers; set TRINORMAL_TEST_POSTGRES_URL")
    url = make_url(POSTGRES).update_query_dict({"options": f"-c search_path={schema}"})
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'trinormal.db'}"
    else:
        yield from postgres_schema()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated database of each kind."""
    opened = open_engine(database_url)
    migrate(opened)
    yield opened
    opened.dispose()

"""Are databases, files and passwords of the servers as `trinormal up` needs them?"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from infra.database import open_engine
from infra.errors import InfrastructureError
from infra.logging import mask_credentials
from infra.s3 import probe_s3
from infra.settings import Settings
from tasks.findings_of_doctor import Finding

TRIGRAMS = text("select count(*) from pg_available_extensions where name = 'pg_trgm'")


def examine_services(settings: Settings) -> Iterator[Finding]:
    """What differs from the usual: nothing is said of SQLite files and folders below the home."""
    prefect, mlflow = settings.prefect_database_url.get_secret_value(), settings.mlflow_tracking_uri
    if prefect:
        yield _database("Prefect's database", prefect, needs_trigrams=True)
    if mlflow.startswith("postgresql"):
        yield _database("MLflow's database", mlflow)
    if settings.artifacts_url:
        yield _bucket(settings.artifacts_url)
    yield from _passwords(settings.home / "keys")


def _database(what: str, url: str, needs_trigrams: bool = False) -> Finding:
    shown = make_url(url).render_as_string(hide_password=True)
    try:
        engine = open_engine(url, wait_s=5)
        with engine.connect() as connection:  # an engine alone asks nobody
            postgres = engine.dialect.name == "postgresql"
            lacks = needs_trigrams and postgres and not connection.execute(TRIGRAMS).scalar_one()
        engine.dispose()
    except (InfrastructureError, SQLAlchemyError) as error:
        return Finding(what, "wrong", shown, mask_credentials(" ".join(str(error).split())[:200]))
    advice = "install PostgreSQL's contrib package: Prefect needs the extension pg_trgm" if lacks else ""
    return Finding(what, "wrong" if lacks else "ok", shown, advice)


def _bucket(url: str) -> Finding:
    try:
        probe_s3(url)
    except InfrastructureError as error:
        return Finding("S3", "wrong", url, str(error))
    return Finding("S3", "ok", f"{url}: written and read back")


def _passwords(folder: Path) -> Iterator[Finding]:
    """Files of keys that others may read, and what MLflow needs to ask for passwords."""
    for path in sorted(folder.glob("*")):
        if path.is_file() and path.stat().st_mode & 0o077:
            yield Finding(
                f"keys/{path.name}", "wrong", "may be read by others", f"chmod 600 {path}; change what is in it"
            )
    if (folder / "servers.json").exists() and find_spec("flask_wtf") is None:
        yield Finding("MLflow's passwords", "wrong", "Flask-WTF is missing", "pip install 'flask-wtf<2'")

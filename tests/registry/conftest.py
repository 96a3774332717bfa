import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.tracking import Tracker
from tests.infra.databases import database_url, engine

__all__ = ["database_url", "engine", "tracker"]


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new MLflow database: building one takes seconds, so tests copy it."""
    database = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    Tracker(f"sqlite:///{database}", database.parent).client.search_experiments()
    return database


@pytest.fixture
def tracker(empty_mlflow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracker]:
    """MLflow on its own SQLite file, without a server."""
    for name in ("DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "true")
    database = tmp_path / "mlflow.db"
    shutil.copy(empty_mlflow, database)
    yield Tracker(f"sqlite:///{database}", tmp_path / "artifacts")
    logging.getLogger("mlflow").setLevel(logging.NOTSET)

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.database import migrate, open_engine
from infra.settings import load_settings
from infra.store import ContentStore
from registry.tracking import Tracker
from tasks.wiring import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A home of its own, one worker; MLflow is not touched unless a test asks for it."""
    settings = load_settings(home=tmp_path / "home", workers=1)
    settings.home.mkdir()
    engine = open_engine(settings.database_url.get_secret_value())
    migrate(engine)
    yield Workspace(
        settings, ContentStore(settings.store), engine, Tracker(settings.mlflow_tracking_uri, settings.mlflow_artifacts)
    )
    engine.dispose()

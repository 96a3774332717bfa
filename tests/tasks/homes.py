"""Homes of their own for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.database import migrate, open_engine
from infra.settings import load_settings
from infra.signing import Keyring
from infra.store import ContentStore
from registry.tracking import Tracker
from tasks.wiring import Workspace


@contextmanager
def new_home(home: Path) -> Iterator[Workspace]:
    """An empty home, one worker; MLflow is not touched unless a test asks for it."""
    settings = load_settings(home=home, workers=1)
    settings.home.mkdir(parents=True)
    engine = open_engine(settings.database_url.get_secret_value())
    migrate(engine)
    tracker = Tracker(settings.mlflow_tracking_uri, settings.mlflow_artifacts, Keyring(settings.signing))
    yield Workspace(settings, ContentStore(settings.store), engine, tracker)
    engine.dispose()

"""Settings become clients here, and nowhere else."""

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine

from infra.database import migrate, open_engine
from infra.environment import environment
from infra.settings import Settings, load_settings
from infra.signing import Keyring
from infra.store import ContentStore
from registry.tracking import Tracker


class Workspace(NamedTuple):
    """Everything a task needs from the machine."""

    settings: Settings
    store: ContentStore
    engine: Engine
    tracker: Tracker

    @property
    def home(self) -> Path:
        """The folder under which everything is kept."""
        return self.settings.home


@cache
def open_workspace() -> Workspace:
    """The workspace of this process; makes the home folder, updates the database, sweeps what a crash left."""
    settings = load_settings()
    os.environ.update(environment(settings))
    settings.home.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.database_url.get_secret_value())
    migrate(engine)
    store = ContentStore(settings.store)
    store.sweep()
    return Workspace(
        settings=settings,
        store=store,
        engine=engine,
        tracker=Tracker(
            settings.mlflow_tracking_uri, settings.mlflow_artifacts, Keyring(settings.signing), settings.home / "spool"
        ),
    )

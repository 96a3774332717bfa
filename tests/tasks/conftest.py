from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.wiring import Workspace
from tests.tasks.homes import new_home


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A home of its own, one worker; MLflow is not touched unless a test asks for it."""
    with new_home(tmp_path / "home") as workspace:
        yield workspace

import shutil
from pathlib import Path

import pytest

from tests.faults.promotion_homes import crown, in_home, offer, start_home
from tests.infra.databases import database_url, engine
from tests.registry.conftest import empty_mlflow, tracker

__all__ = ["database_url", "empty_mlflow", "engine", "tracker"]


@pytest.fixture(scope="session")
def templates(empty_mlflow: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`promote`: version 1 serves and 2 is a candidate; `roll back`: 2 serves and 1 did before."""
    folder = tmp_path_factory.mktemp("templates")
    with start_home(folder / "made", empty_mlflow) as workspace, pytest.MonkeyPatch.context() as patch:
        in_home(patch, workspace)
        crown(offer(workspace, 1.0))
        offer(workspace, 2.0)
        for name in ("promote", "roll back"):
            if name == "roll back":
                crown("2")
            workspace.engine.dispose()
            shutil.copytree(workspace.home, folder / name, ignore=shutil.ignore_patterns("artifacts"))
    return {name: folder / name for name in ("promote", "roll back")}

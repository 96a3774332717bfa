import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.profiles.gates import ServingGateConfig
from registry.gates import Gate
from registry.training_runs import release_run
from tasks import promotion
from tasks.candidates import Bounds, Measured, enter_candidate
from tasks.outcomes import outcomes_under
from tasks.wiring import Workspace
from tests.faults.promotion_homes import MODEL, in_home
from tests.infra.databases import database_url, engine
from tests.registry.conftest import empty_mlflow, tracker
from tests.registry.promotions import graph, known_lineage, version_of
from tests.tasks.homes import new_home

__all__ = ["database_url", "empty_mlflow", "engine", "tracker"]


def offer(workspace: Workspace, scale: float) -> str:
    """A candidate as good as any other."""
    version = version_of(workspace.tracker, scale, model=MODEL)
    names = [str(who) for who in range(20)]
    enter_candidate(
        workspace,
        release_run(workspace.tracker, MODEL, version.version),
        version,
        graph(scale).SerializeToString(),
        outcomes_under("p", names, names, [True] * 20),
        Measured({"rank1": 0.95, "latency_p99_ms": 1.0}, frozenset({"CC0-1.0"})),
        Bounds((Gate("rank1", at_least=0.9),), ServingGateConfig()),
    )
    return version.version


@pytest.fixture(scope="session")
def templates(empty_mlflow: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`promote`: version 1 serves and 2 is a candidate; `roll back`: 2 serves and 1 did before."""
    folder = tmp_path_factory.mktemp("templates")
    with new_home(folder / "promote") as workspace, pytest.MonkeyPatch.context() as patch:
        (workspace.home / "mlflow").mkdir()
        shutil.copy(empty_mlflow, workspace.home / "mlflow" / "mlflow.db")
        known_lineage(workspace.engine)
        in_home(patch, workspace)
        crown(offer(workspace, 1.0))
        offer(workspace, 2.0)
        workspace.engine.dispose()
        shutil.copytree(workspace.home, folder / "before", ignore=shutil.ignore_patterns("artifacts"))
        crown("2")
        workspace.engine.dispose()
        shutil.copytree(workspace.home, folder / "roll back", ignore=shutil.ignore_patterns("artifacts"))
    return {"promote": folder / "before", "roll back": folder / "roll back"}


def crown(version: str) -> Any:
    released = promotion.make_champion.fn(promotion.judge.fn(MODEL, version))
    assert released.promoted
    return released

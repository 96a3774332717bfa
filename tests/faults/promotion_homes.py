"""Homes with candidates, made once and copied; a promotion or rollback in a process of its own on such a copy."""

import multiprocessing
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from infra.database import open_engine
from infra.files import sha256_bytes
from infra.profiles.gates import ServingGateConfig
from infra.settings import load_settings
from infra.signing import Keyring
from infra.store import ContentStore
from registry import ledger
from registry.gates import Gate
from registry.packaging import fetch_graph, find_version
from registry.tracking import Tracker
from registry.training_runs import release_run
from tasks import confirmation, promotion
from tasks.candidates import Bounds, Measured, enter_candidate
from tasks.outcomes import outcomes_under
from tasks.wiring import Workspace
from tests.faults.commit_points import PLACES, die, watch
from tests.registry.promotions import aliases, graph, known_lineage, version_of
from tests.tasks.homes import new_home

MODEL = "faces"
PRELOAD = ["tests.faults.promotion_homes", "mlflow.store.tracking.sqlalchemy_store", "psycopg", "pytest"]


def forkserver() -> ForkServerContext:
    """Processes that come with everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


def opened(home: Path) -> Workspace:
    """A workspace on a home that is there."""
    settings = load_settings(home=home, workers=1)
    engine = open_engine(settings.database_url.get_secret_value())
    tracker = Tracker(settings.mlflow_tracking_uri, settings.mlflow_artifacts, Keyring(settings.signing))
    return Workspace(settings, ContentStore(settings.store), engine, tracker)


@contextmanager
def start_home(home: Path, empty_mlflow: Path) -> Iterator[Workspace]:
    """An empty home whose MLflow is ready, with a lineage for candidates."""
    with new_home(home) as workspace:
        (workspace.home / "mlflow").mkdir(exist_ok=True)
        shutil.copy(empty_mlflow, workspace.home / "mlflow" / "mlflow.db")
        known_lineage(workspace.engine)
        yield workspace


def offer(workspace: Workspace, scale: float, **serving: Any) -> str:
    """A candidate as good as any other; the number of its version."""
    version = version_of(workspace.tracker, scale, model=MODEL)
    names = [str(who) for who in range(20)]
    enter_candidate(
        workspace,
        release_run(workspace.tracker, MODEL, version.version),
        version,
        graph(scale).SerializeToString(),
        outcomes_under("p", names, names, [True] * 20),
        Measured({"rank1": 0.95, "latency_p99_ms": 1.0}, frozenset({"CC0-1.0"})),
        Bounds((Gate("rank1", at_least=0.9),), ServingGateConfig(**serving)),
    )
    return version.version


def crown(version: str) -> None:
    """Make a candidate the champion, in the home that tasks work in."""
    assert promotion.make_champion.fn(promotion.judge.fn(MODEL, version)).promoted


@contextmanager
def copied(template: Path, target: Path) -> Iterator[Workspace]:
    """A copy of a home; graphs stay where the template has them."""
    shutil.copytree(template, target, ignore=shutil.ignore_patterns("artifacts"))
    workspace = opened(target)
    try:
        yield workspace
    finally:
        workspace.engine.dispose()
        shutil.rmtree(target)


def act(home: Path, what: str, at: int, answers: Any) -> None:
    """Promote version 2, or roll back, in a home; killed at place number `at`, or all places are answered."""
    watch()
    workspace = opened(home)
    with pytest.MonkeyPatch.context() as patch:
        in_home(patch, workspace)
        judged = promotion.judge.fn(MODEL, "2") if what == "promote" else None
        PLACES.cut(at, die)
        if judged is not None:
            promotion.make_champion.fn(judged)
        else:
            promotion.put_back.fn(MODEL, "Ada", "worse")
    answers.put(PLACES.reached)


def in_home(patch: pytest.MonkeyPatch, workspace: Workspace) -> None:
    """Tasks work in that home, and events go nowhere but are places too."""
    patch.setattr(promotion, "open_workspace", lambda: workspace)
    patch.setattr(confirmation, "emit_event", lambda **_: (PLACES.reach("before event"), PLACES.reach("after event")))


def require_agreement(workspace: Workspace) -> str | None:
    """Ledger, MLflow and what is served say the same, and everything is seen through; returns the champion."""
    ledger.verify_chain(workspace.engine, MODEL)
    state, entries = ledger.champion(workspace.engine, MODEL), ledger.history(workspace.engine, MODEL)
    assert ledger.unconfirmed(entries) is None
    shown = {"champion": state.version, "previous": state.previous, "challenger": ledger.challenger(entries)}
    assert aliases(workspace.tracker, MODEL) == {name: version for name, version in shown.items() if version}
    if state.version is not None:
        served = fetch_graph(workspace.tracker, find_version(workspace.tracker, MODEL, "@champion"))
        registered = next(
            entry for entry in entries if entry.action == "candidate" and entry.version == state.version
        ).decision["sha256"]
        assert sha256_bytes(served) == registered
    return state.version

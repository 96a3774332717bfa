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
from infra.settings import load_settings
from infra.signing import Keyring
from infra.store import ContentStore
from registry import ledger
from registry.packaging import fetch_graph, find_version
from registry.tracking import Tracker
from tasks import confirmation, promotion
from tasks.wiring import Workspace
from tests.faults.commit_points import PLACES, die, watch
from tests.registry.promotions import aliases

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

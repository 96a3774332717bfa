"""Flows in this process, without a server: tasks are called as plain functions, artifacts and events are kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import prefect.artifacts
import pytest
from prefect import Task

from tasks import evaluate_scans, evaluation_report, events, night_report, snapshot, verdicts
from tasks.wiring import Workspace, open_workspace

ARTIFACTS = ("create_markdown_artifact", "create_table_artifact", "create_link_artifact")


class Heard(NamedTuple):
    """What Prefect would have been told, by the artifact's key and in the order of the events."""

    workspace: Workspace
    artifacts: dict[str, Any]
    events: list[dict[str, Any]]


@contextmanager
def quiet(home: Path) -> Iterator[Heard]:
    """A home of one's own for everything that opens the workspace meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRINORMAL_HOME", str(home))
        patch.setenv("TRINORMAL_WORKERS", "1")
        open_workspace.cache_clear()
        heard = Heard(open_workspace(), {}, [])

        def keep(content: Any = None, key: str = "", **more: Any) -> None:
            heard.artifacts[key] = more.get("table", content)

        patch.setattr(Task, "__call__", lambda self, *given, **named: self.fn(*given, **named))
        for module in (evaluate_scans, evaluation_report, night_report, snapshot, verdicts):
            for name in ARTIFACTS:
                if hasattr(module, name):
                    assert getattr(module, name) is getattr(prefect.artifacts, name)
                    patch.setattr(module, name, keep)
        patch.setattr(
            events,
            "emit_event",
            lambda event, resource, payload: heard.events.append({"event": event, **resource, **payload}),
        )
        try:
            yield heard
        finally:
            heard.workspace.engine.dispose()
            open_workspace.cache_clear()

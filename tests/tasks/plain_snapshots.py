"""Snapshots taken in a workspace of a test, by the tasks' own functions and without a server."""

import pytest

from tasks import snapshot
from tasks.wiring import Workspace


def take_in(workspace: Workspace, patch: pytest.MonkeyPatch) -> None:
    """From now on `take_snapshot` works in that workspace."""
    patch.setattr(snapshot, "open_workspace", lambda: workspace)
    for task in ("check_files", "write_snapshot"):
        patch.setattr(snapshot, task, getattr(snapshot, task).fn)

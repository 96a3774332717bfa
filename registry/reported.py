"""What runs in MLflow report, looked up for tables: metrics, tags and small JSON files of finished runs."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from registry.mlflow_errors import explained
from registry.tracking import PAGE, Tracker, plain


class Reported(NamedTuple):
    """One finished run; `started_ms` since 1970."""

    run_id: str
    name: str
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    started_ms: int = 0


def finished_runs(tracker: Tracker, experiment: str, tags: Mapping[str, str] | None = None) -> list[Reported]:
    """The finished runs of an experiment that carry all `tags`, the newest first; none where it is not there."""
    wanted = ["attributes.status = 'FINISHED'"]
    wanted += [f"tags.`{plain(name)}` = '{plain(value)}'" for name, value in (tags or {}).items()]
    found: list[Reported] = []
    with explained(tracker.tracking_uri):
        known = tracker.client.get_experiment_by_name(experiment)
        token = None
        while known is not None:
            page = tracker.client.search_runs(
                [known.experiment_id],
                " and ".join(wanted),
                order_by=["attributes.start_time DESC"],
                max_results=PAGE,
                page_token=token,
            )
            found += [
                Reported(
                    run.info.run_id,
                    str(run.info.run_name),
                    dict(run.data.metrics),
                    dict(run.data.tags),
                    int(run.info.start_time or 0),
                )
                for run in page
            ]
            token = page.token
            if not token:
                break
    return found


def file_of(tracker: Tracker, run_id: str, name: str, folder: Path) -> Path | None:
    """A copy in `folder` of a file that a run keeps at its top; None where it keeps none of that name."""
    with explained(tracker.tracking_uri):
        if name not in {each.path for each in tracker.client.list_artifacts(run_id)}:
            return None
        return Path(tracker.client.download_artifacts(run_id, name, str(folder)))


def json_of(tracker: Tracker, run_id: str, name: str) -> Any | None:
    """The content of a JSON file that a run keeps; None where it keeps none of that name."""
    with tempfile.TemporaryDirectory() as folder:
        path = file_of(tracker, run_id, name, Path(folder))
        return None if path is None else json.loads(path.read_text(encoding="utf-8"))


def card_of(tracker: Tracker, model: str, version: str) -> str:
    """The model card of a version, Markdown; empty where it was registered without one."""
    with explained(tracker.tracking_uri):
        return str(tracker.client.get_model_version(model, version).description or "")

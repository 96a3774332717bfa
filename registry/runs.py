"""One MLflow run, addressed by its id: what may be logged, and how it ends."""

import subprocess
import time
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from registry.mlflow_errors import explained

if TYPE_CHECKING:
    from mlflow import MlflowClient

BATCH = 900  # MLflow takes 1000 metrics or 100 parameters at once
PARAMETERS = 100
LONGEST_PARAMETER = 6000


class Point(NamedTuple):
    """One value of one metric."""

    name: str
    step: int
    value: float


class Figure(Protocol):
    """A Plotly figure."""

    def to_html(self, *, include_plotlyjs: bool, full_html: bool) -> str:
        """The figure as a page."""
        ...


class TrackedRun:
    """A run; as a context manager it ends FINISHED, or FAILED with the reason when the block raises."""

    def __init__(self, client: "MlflowClient", run_id: str) -> None:
        self.run_id = run_id
        self._client = client
        self._known: dict[str, set[int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            self.finish()
        else:
            self.fail(f"{type(error).__name__}: {error}")

    def log_params(self, params: Mapping[str, object]) -> None:
        """Parameters are written once; the same again is fine, another value raises `TrackingError`."""
        from mlflow.entities import Param

        listed = [Param(name, str(value)[:LONGEST_PARAMETER]) for name, value in params.items()]
        with explained(self._uri):
            for start in range(0, len(listed), PARAMETERS):
                self._client.log_batch(self.run_id, params=listed[start : start + PARAMETERS])

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Values of one step."""
        self.log_points(Point(name, step, value) for name, value in metrics.items())

    def log_points(self, points: Iterable[Point]) -> None:
        """Many values in few calls; a step that the run already has is left as it is, so a resumed job may repeat."""
        from mlflow.entities import Metric

        moment = int(time.time() * 1000)
        with explained(self._uri):
            fresh = {(point.name, point.step): point for point in points if point.step not in self._steps(point.name)}
            listed = [Metric(point.name, float(point.value), moment, point.step) for point in fresh.values()]
            for start in range(0, len(listed), BATCH):
                self._client.log_batch(self.run_id, metrics=listed[start : start + BATCH])
        for name, step in fresh:
            self._known[name].add(step)

    def log_dataset(self, name: str, digest: str, source: str, context: str, rows: int | None = None) -> None:
        """Note a snapshot as input. `context` says what for (training, gallery, ...)."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        profile = f'{{"rows": {rows}}}' if rows is not None else None
        dataset = Dataset(name, digest[:36], "trinormal", source, profile=profile)  # MLflow keeps 36 characters
        with explained(self._uri):
            used = DatasetInput(dataset, [InputTag("mlflow.data.context", context)])
            self._client.log_inputs(self.run_id, [used])
            self._client.set_tag(self.run_id, f"trinormal.dataset.{context}", digest)

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Keep a copy of a file."""
        with explained(self._uri):
            self._client.log_artifact(self.run_id, str(path), folder)

    def log_text(self, text: str, file: str) -> None:
        """Keep a text; the ending of `file` says what it is (html, md, txt)."""
        with explained(self._uri):
            self._client.log_text(self.run_id, text, file)

    def log_dict(self, values: Mapping[str, Any], file: str) -> None:
        """Keep values as JSON or YAML, by the ending of `file`."""
        with explained(self._uri):
            self._client.log_dict(self.run_id, dict(values), file)

    def log_figure(self, figure: Figure, file: str) -> None:
        """Keep a Plotly figure as a page that needs no network (MLflow's own way loads a script from a CDN)."""
        self.log_text(figure.to_html(include_plotlyjs=True, full_html=True), file)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set or replace tags."""
        with explained(self._uri):
            for tag, value in tags.items():
                self._client.set_tag(self.run_id, tag, value)

    def metrics(self) -> dict[str, float]:
        """The last value of every metric."""
        with explained(self._uri):
            return dict(self._client.get_run(self.run_id).data.metrics)

    def finish(self) -> None:
        """End as FINISHED."""
        with explained(self._uri):
            self._client.set_terminated(self.run_id, status="FINISHED")

    def fail(self, reason: str) -> None:
        """End as FAILED; the reason is a tag."""
        with explained(self._uri):
            self._client.set_tag(self.run_id, "trinormal.reason", reason[:5000])
            self._client.set_terminated(self.run_id, status="FAILED")

    @property
    def _uri(self) -> str:
        return str(self._client.tracking_uri)

    def _steps(self, name: str) -> set[int]:
        """The steps of a metric that MLflow has, asked once."""
        if name not in self._known:
            self._known[name] = {point.step for point in self._client.get_metric_history(self.run_id, name)}
        return self._known[name]


@cache
def git_commit() -> str | None:
    """The commit of the checkout this code runs from; None in an installed package."""
    here = Path(__file__).resolve().parent
    try:
        answer = subprocess.run(["git", "-C", here, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None

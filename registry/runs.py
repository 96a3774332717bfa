"""One MLflow run, addressed by its id: what may be logged, how it ends, and what waits while MLflow is away."""

import subprocess
import time
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from registry.errors import TrackingError, TrackingUnavailable
from registry.mlflow_errors import explained
from registry.run_operations import APPLIED
from registry.spool import Operation, Spool

if TYPE_CHECKING:
    from mlflow import MlflowClient

KEY, JOB, PROCESS = "trinormal.key", "trinormal.job", "trinormal.process"
BATCH = 900  # MLflow takes 1000 metrics or 100 parameters at once
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


class Connection(Protocol):
    """What a run needs from its tracker."""

    spool: Spool | None

    @property
    def tracking_uri(self) -> str:
        """Where MLflow is."""
        ...

    @property
    def client(self) -> "MlflowClient":
        """MLflow's client."""
        ...

    def away(self) -> bool:
        """Whether MLflow did not answer a moment ago."""
        ...

    def note_away(self) -> None:
        """It does not answer: what can wait need not ask for a while."""
        ...

    def open_run(self, asked: Mapping[str, Any]) -> str:
        """The id of a run, made if need be."""
        ...


class TrackedRun:
    """A run; as a context manager it ends FINISHED, or FAILED with the reason when the block raises.

    What is logged while MLflow is away waits in the spool and is told, in order, before anything else is.
    """

    def __init__(self, connection: Connection, run_id: str) -> None:
        self.run_id = run_id
        self._connection = connection
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
        self._do("params", params={name: str(value)[:LONGEST_PARAMETER] for name, value in params.items()})

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Values of one step."""
        self.log_points(Point(name, step, value) for name, value in metrics.items())

    def log_points(self, points: Iterable[Point]) -> None:
        """Many values in few calls; a step that the run already has is left as it is, so a resumed job may repeat."""
        listed = [[point.name, int(point.step), float(point.value)] for point in points]
        self._do("points", points=listed, moment=int(time.time() * 1000))

    def log_dataset(self, name: str, digest: str, source: str, context: str, rows: int | None = None) -> None:
        """Note a snapshot as input. `context` says what for (training, gallery, ...)."""
        self._do("dataset", name=name, digest=digest, source=source, context=context, rows=rows)

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Keep a copy of a file."""
        self._do("file", path=str(path), folder=folder)

    def log_text(self, text: str, file: str) -> None:
        """Keep a text; the ending of `file` says what it is (html, md, txt)."""
        self._do("text", text=text, file=file)

    def log_dict(self, values: Mapping[str, Any], file: str) -> None:
        """Keep values as JSON or YAML, by the ending of `file`."""
        self._do("dict", values=dict(values), file=file)

    def log_figure(self, figure: Figure, file: str) -> None:
        """Keep a Plotly figure as a page that needs no network (MLflow's own way loads a script from a CDN)."""
        self.log_text(figure.to_html(include_plotlyjs=True, full_html=True), file)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set or replace tags."""
        self._do("tags", tags=dict(tags))

    def job(self) -> str | None:
        """The attempt (a flow run, say) that the run is of; None where it is not known, or MLflow is away."""
        try:
            with explained(self._connection.tracking_uri):
                return dict(self._connection.client.get_run(self.run_id).data.tags).get(JOB) or None
        except TrackingError:
            return None

    def metrics(self) -> dict[str, float]:
        """The last value of every metric. Raises `TrackingUnavailable` when MLflow is away."""
        self.reconcile()
        with explained(self._connection.tracking_uri):
            return dict(self._connection.client.get_run(self.run_id).data.metrics)

    def finish(self) -> None:
        """End as FINISHED."""
        self._do("end", status="FINISHED")

    def fail(self, reason: str) -> None:
        """End as FAILED; the reason is a tag."""
        self._do("tags", tags={"trinormal.reason": reason[:5000]})
        self._do("end", status="FAILED")

    def reconcile(self) -> None:
        """Tell MLflow what waits. Raises `TrackingUnavailable` when it is still away."""
        spool = self._connection.spool
        if spool is not None:
            spool.replay(self._waiting_name, self._apply)
            self.run_id = spool.opened(self._waiting_name) or self.run_id

    def later(self, operation: Operation) -> None:
        """Put an operation behind what waits."""
        spool = self._connection.spool
        if spool is None:
            raise TrackingUnavailable(f"MLflow at {self._connection.tracking_uri} is away, and nothing can wait")
        if operation.name == "file":
            kept = spool.keep_file(self._waiting_name, Path(operation.arguments["path"]))
            operation = Operation("file", {**operation.arguments, "path": kept})
        spool.add(self._waiting_name, operation)

    @cached_property
    def _waiting_name(self) -> str:
        """What the spool calls it: the id at first, which for a run that MLflow has not made yet is no real one."""
        return self.run_id

    def _do(self, name: str, /, **arguments: Any) -> None:
        """Now, after what waits; or later, where MLflow is away and there is a place to wait in."""
        operation = Operation(name, arguments)
        if self._connection.spool is None:
            self._apply(operation)
            return
        try:
            if self._connection.away():
                self.later(operation)
                return
            self.reconcile()
            self._apply(operation)
        except TrackingUnavailable:
            self._connection.note_away()
            self.later(operation)

    def _apply(self, operation: Operation) -> None:
        with explained(self._connection.tracking_uri):
            if operation.name == "open":
                self.run_id = self._connection.open_run(operation.arguments)
                if self._connection.spool is not None:
                    self._connection.spool.note_opened(self._waiting_name, self.run_id)
            elif operation.name == "points":
                self._log_fresh(**operation.arguments)
            else:
                APPLIED[operation.name](self._connection.client, self.run_id, **operation.arguments)

    def _log_fresh(self, points: list[tuple[str, int, float]], moment: int) -> None:
        """The points whose step the run does not have."""
        from mlflow.entities import Metric

        fresh = {(name, step): value for name, step, value in points if step not in self._steps(name)}
        listed = [Metric(name, value, moment, step) for (name, step), value in fresh.items()]
        for start in range(0, len(listed), BATCH):
            self._connection.client.log_batch(self.run_id, metrics=listed[start : start + BATCH])
        for name, step in fresh:
            self._known[name].add(step)

    def _steps(self, name: str) -> set[int]:
        """The steps of a metric that MLflow has, asked once."""
        if name not in self._known:
            history = self._connection.client.get_metric_history(self.run_id, name)
            self._known[name] = {point.step for point in history}
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

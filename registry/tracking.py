"""Runs in MLflow. The only module that imports its client, and only when something is tracked: the import is slow.

Every call names its run: MLflow's own "active run" is kept per thread and crosses runs in mapped tasks. A run is
found again by its key, so a retried task or a resumed job continues it and never makes a second one.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from infra.files import sha256_bytes
from infra.signing import Keyring
from registry.errors import TrackingError, TrackingUnavailable
from registry.mlflow_errors import explained
from registry.processes import is_gone, this_process
from registry.runs import JOB, KEY, PROCESS, TrackedRun, git_commit
from registry.spool import Operation, Spool

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PAGE = 500
REST_S = 60.0
WAITING = "waiting-"


class Tracker:
    """MLflow at `tracking_uri`: a server, or a database of which the files lie below `artifact_root`.

    `keys` sign what is registered and say whose packages may be used; they lie beside the files unless told otherwise.
    `spool` is the folder where what MLflow cannot be told now waits; without it an outage is an error.
    """

    def __init__(
        self, tracking_uri: str, artifact_root: Path, keys: Keyring | None = None, spool: Path | None = None
    ) -> None:
        self.tracking_uri = tracking_uri
        self.keys = keys or Keyring(artifact_root.parent / "signing")
        self.spool = Spool(spool) if spool is not None else None
        self._artifact_root = artifact_root
        self._silent_until = 0.0
        self._client: MlflowClient | None = None

    @property
    def client(self) -> "MlflowClient":
        """MLflow's client, made at its first use."""
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> "MlflowClient":
        from mlflow import MlflowClient

        for chatty in ("mlflow", "alembic"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        if self.tracking_uri.startswith("sqlite:"):
            Path(make_url(self.tracking_uri).database or ".").parent.mkdir(parents=True, exist_ok=True)
        with explained(self.tracking_uri):
            return MlflowClient(tracking_uri=self.tracking_uri, registry_uri=self.tracking_uri)

    def experiment(self, name: str) -> str:
        """The id of an experiment, made if need be. Raises `TrackingError` where it was deleted in MLflow."""
        with explained(self.tracking_uri):
            found = self.client.get_experiment_by_name(name) or self._create_experiment(name)
        if found.lifecycle_stage != "active":
            raise TrackingError(f"experiment {name!r} was deleted in MLflow: restore it or choose another name")
        return str(found.experiment_id)

    def run(
        self,
        experiment: str,
        name: str,
        key: str,
        *,
        job: str = "",
        parent: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> TrackedRun:
        """The run with that key in the experiment of that name, reopened or new; `parent` is a run id.

        `job` names the attempt (a flow run, say): `sweep_stale` closes what a killed job left open.
        """
        asked = {"experiment": experiment, "name": name, "key": key, "job": job, "parent": parent}
        return TrackedRun(self, self.open_run({**asked, "tags": dict(tags or {})}))

    def run_later(self, experiment: str, name: str, key: str, **more: Any) -> TrackedRun:
        """As `run`, but where MLflow is away the run waits in the spool to be made, with all that is logged to it."""
        asked: dict[str, Any] = {"experiment": experiment, "name": name, "key": key, "job": "", "parent": None, **more}
        asked["tags"] = dict(asked.get("tags") or {})
        try:
            if not self.away():
                return TrackedRun(self, self.open_run(asked))
        except TrackingUnavailable:
            if self.spool is None:
                raise
            self.note_away()
        run = TrackedRun(self, f"{WAITING}{sha256_bytes(f'{experiment}/{key}'.encode())[:32]}")
        run.later(Operation("open", asked))
        return run

    def reopen(self, run_id: str) -> TrackedRun:
        """A run by its id, also by one that waits to be made; for other processes."""
        return TrackedRun(self, run_id)

    def open_run(self, asked: Mapping[str, Any]) -> str:
        """The id of the run that `asked` (the arguments of `run`) describes: found by its key and set to running."""
        experiment_id = self.experiment(asked["experiment"])
        key, parent = str(asked["key"]), asked["parent"]
        with explained(self.tracking_uri):
            run_id = self._find(experiment_id, key) or self._create_run(experiment_id, asked["name"], key, parent)
            self.client.update_run(run_id, status="RUNNING")
            for tag, value in {**asked["tags"], JOB: asked["job"], PROCESS: this_process()}.items():
                self.client.set_tag(run_id, tag, value)
        return run_id

    def reconcile(self) -> int:
        """Tell MLflow all that waits; of how many runs. Raises `TrackingUnavailable` when it is still away."""
        waiting = self.spool.waiting() if self.spool is not None else []
        self._silent_until = 0.0
        for run in waiting:
            TrackedRun(self, run).reconcile()
        return len(waiting)

    def away(self) -> bool:
        """Whether MLflow did not answer a moment ago, and what can wait need not ask."""
        return self.spool is not None and time.monotonic() < self._silent_until

    def note_away(self) -> None:
        """MLflow does not answer: what can wait does so for a while."""
        self._silent_until = time.monotonic() + REST_S

    def sweep_lost(self) -> tuple[str, ...]:
        """Mark as killed the open runs whose process on this machine is gone; returns their ids."""
        with explained(self.tracking_uri):
            found = {run_id: tags.get(PROCESS, "") for run_id, tags in self._open_runs()}
            lost = tuple(run_id for run_id, process in found.items() if is_gone(process))
            for run_id in lost:
                self.client.set_terminated(run_id, status="KILLED")
        return lost

    def sweep_stale(self, job: str) -> tuple[str, ...]:
        """Mark the runs that a dead job left open as killed; returns their ids."""
        with explained(self.tracking_uri):
            stale = tuple(self._search(f"attributes.status = 'RUNNING' and tags.`{JOB}` = '{plain(job)}'"))
            for run_id in stale:
                self.client.set_terminated(run_id, status="KILLED")
        return stale

    def _create_experiment(self, name: str) -> Any:
        from mlflow.exceptions import MlflowException

        server = self.tracking_uri.startswith(("http:", "https:"))
        location = None if server else (self._artifact_root.absolute() / name.replace("/", "_")).as_uri()
        try:
            self.client.create_experiment(name, artifact_location=location)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another process was faster
                raise
        return self.client.get_experiment_by_name(name)

    def _find(self, experiment_id: str, key: str) -> str | None:
        """The oldest live run with that key."""
        found = self.client.search_runs(
            [experiment_id],
            filter_string=f"tags.`{KEY}` = '{plain(key)}'",
            order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
            max_results=1,
        )
        return found[0].info.run_id if found else None

    def _create_run(self, experiment_id: str, name: str, key: str, parent: str | None) -> str:
        tags = {KEY: key, "mlflow.source.git.commit": git_commit(), "mlflow.parentRunId": parent}
        given = {tag: value for tag, value in tags.items() if value}
        run_id = str(self.client.create_run(experiment_id, run_name=name, tags=given).info.run_id)
        oldest = self._find(experiment_id, key) or run_id
        if oldest != run_id:  # two at once: everybody settles on the oldest
            self.client.delete_run(run_id)
        return oldest

    def _open_runs(self) -> Iterator[tuple[str, dict[str, str]]]:
        for run in self._runs("attributes.status = 'RUNNING'"):
            yield run.info.run_id, dict(run.data.tags)

    def _search(self, filter_string: str) -> Iterator[str]:
        return (run.info.run_id for run in self._runs(filter_string))

    def _runs(self, filter_string: str) -> Iterator["Run"]:
        experiments = [experiment.experiment_id for experiment in self.client.search_experiments()]
        token = None
        while True:
            page = self.client.search_runs(experiments, filter_string, max_results=PAGE, page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def plain(value: str) -> str:
    """A value that can stand between the quotes of a search."""
    if "'" in value or "\\" in value:
        raise TrackingError(f"{value!r} cannot be searched for: leave out quotes and backslashes")
    return value

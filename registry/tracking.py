"""Runs in MLflow. The only module that imports its client, and only when something is tracked: the import is slow.

Every call names its run: MLflow's own "active run" is kept per thread and crosses runs in mapped tasks. A run is
found again by its key, so a retried task or a resumed job continues it and never makes a second one.
"""

import logging
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from infra.signing import Keyring
from registry.errors import TrackingError
from registry.mlflow_errors import explained
from registry.runs import TrackedRun, git_commit

if TYPE_CHECKING:
    from mlflow import MlflowClient

KEY, JOB = "trinormal.key", "trinormal.job"
PAGE = 500


class Tracker:
    """MLflow at `tracking_uri`: a server, or a database of which the files lie below `artifact_root`.

    `keys` sign what is registered and say whose packages may be used; they lie beside the files unless told otherwise.
    """

    def __init__(self, tracking_uri: str, artifact_root: Path, keys: Keyring | None = None) -> None:
        self.tracking_uri = tracking_uri
        self.keys = keys or Keyring(artifact_root.parent / "signing")
        self._artifact_root = artifact_root

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's client, made at its first use."""
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
        experiment_id = self.experiment(experiment)
        with explained(self.tracking_uri):
            run_id = self._find(experiment_id, key) or self._create_run(experiment_id, name, key, parent)
            self.client.update_run(run_id, status="RUNNING")
            for tag, value in {**(tags or {}), JOB: job}.items():
                self.client.set_tag(run_id, tag, value)
        return TrackedRun(self.client, run_id)

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

    def _search(self, filter_string: str) -> Iterator[str]:
        experiments = [experiment.experiment_id for experiment in self.client.search_experiments()]
        token = None
        while True:
            page = self.client.search_runs(experiments, filter_string, max_results=PAGE, page_token=token)
            yield from (run.info.run_id for run in page)
            token = page.token
            if not token:
                return


def plain(value: str) -> str:
    """A value that can stand between the quotes of a search."""
    if "'" in value or "\\" in value:
        raise TrackingError(f"{value!r} cannot be searched for: leave out quotes and backslashes")
    return value

"""Changes of an MLflow run, each by its name: how it is told to MLflow's client. All bear being told twice."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient

PARAMETERS = 100  # MLflow takes so many at once


def _params(client: "MlflowClient", run_id: str, params: Mapping[str, str]) -> None:
    from mlflow.entities import Param

    listed = [Param(name, value) for name, value in params.items()]
    for start in range(0, len(listed), PARAMETERS):
        client.log_batch(run_id, params=listed[start : start + PARAMETERS])


def _dataset(
    client: "MlflowClient", run_id: str, name: str, digest: str, source: str, context: str, rows: int | None
) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    profile = f'{{"rows": {rows}}}' if rows is not None else None
    dataset = Dataset(name, digest[:36], "trinormal", source, profile=profile)  # MLflow keeps 36 characters
    client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", context)])])
    client.set_tag(run_id, f"trinormal.dataset.{context}", digest)


def _file(client: "MlflowClient", run_id: str, path: str, folder: str | None) -> None:
    client.log_artifact(run_id, path, folder)


def _text(client: "MlflowClient", run_id: str, text: str, file: str) -> None:
    client.log_text(run_id, text, file)


def _dict(client: "MlflowClient", run_id: str, values: Mapping[str, Any], file: str) -> None:
    client.log_dict(run_id, dict(values), file)


def _tags(client: "MlflowClient", run_id: str, tags: Mapping[str, str]) -> None:
    for tag, value in tags.items():
        client.set_tag(run_id, tag, value)


def _end(client: "MlflowClient", run_id: str, status: str) -> None:
    client.set_terminated(run_id, status=status)


APPLIED: dict[str, Callable[..., None]] = {
    "params": _params,
    "dataset": _dataset,
    "file": _file,
    "text": _text,
    "dict": _dict,
    "tags": _tags,
    "end": _end,
}

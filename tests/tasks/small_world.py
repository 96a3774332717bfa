"""A few people photographed, and a job to train on them: every stage for real, at sizes of seconds."""

import pytest
import torch

from infra.profiles import PhotoWorldConfig
from infra.profiles.rnet import CNetConfig, LossWeightsConfig, RNetConfig
from infra.store import Artefact
from models.networks.sphere20 import Sphere20
from models.training.safetensor_files import save_weights
from tasks import synthesise
from tasks.files import write_json
from tasks.jobs import Job
from tasks.stages import make
from tasks.synthesise import Collection, synthesise_photos
from tasks.wiring import Workspace

WORLD = PhotoWorldConfig(people=8, photos_per_person=2, pixels=96, people_per_shard=5)
RNET = RNetConfig(
    depth=18,
    width=0.125,
    pixels=48,
    geometry_epochs=1,
    epochs=1,
    batch_size=8,
    learning_rate=2e-3,
    weights=LossWeightsConfig(labels=0.05),
)
CNET = CNetConfig(
    hidden=8, views=2, sets=4, epochs=2, learning_rate=1e-2, people=4, held_out_people=3, photos_per_person=5
)


def photographed(workspace: Workspace, world: PhotoWorldConfig, split: str, seed: int = 3) -> Collection:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthesise, "open_workspace", lambda: workspace)
        return synthesise_photos.fn(world, split, seed)


def some_job(workspace: Workspace, key: str = "job") -> Job:
    run = workspace.tracker.run("reconstructors", "tiny", key)
    return Job(key, "reconstructors", run.run_id, "attempt")


def some_embedder(workspace: Workspace, seed: int = 0) -> Artefact:
    """A photo network as pre-training leaves it on disk; what it has learnt does not matter here."""

    def build(folder, _) -> None:
        torch.manual_seed(seed)
        network = Sphere20(3, 0.125, (32, 32), 16, batch_norm=True)
        save_weights(folder / "weights.safetensors", network)
        write_json(folder / "shape.json", vars(network.shape))

    return make(workspace, "sphere20", [], {"seed": seed}, ["models.networks.sphere20"], build)


def child_runs(workspace: Workspace, job: Job):
    """The runs under a job's, by name."""
    client = workspace.tracker.client
    runs = client.search_runs([workspace.tracker.experiment(job.experiment)])
    return {run.info.run_name: run for run in runs if run.data.tags.get("mlflow.parentRunId") == job.run_id}

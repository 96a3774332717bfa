"""R-Net from photos to a tracked, stored network whose errors are what they are said to be."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from infra.profiles.rnet import LossWeightsConfig
from infra.store import Artefact
from models.errors import ConfigurationError
from models.morphable.builtin import load_face
from models.morphable.textured import load_textured_face
from models.reconstructors.crop_camera import crop_camera
from models.reconstructors.rnet_stored import load_rnet
from models.training.face_synthesis import FaceSynthesis
from models.training.weak_supervision import LossWeights
from registry.lineage import ancestors
from tasks import rnet
from tasks.jobs import Job
from tasks.rnet import TrainedRNet, trained_rnet
from tasks.rnet_supervision import landmark_shards, stacked
from tasks.synthesise import Collection
from tasks.wiring import Workspace
from tests.tasks.homes import new_home
from tests.tasks.small_world import RNET, WORLD, child_runs, photographed, some_embedder, some_job

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
CPU = torch.device("cpu")
WEAK = RNET.model_copy(update={"geometry_epochs": 0, "weights": LossWeightsConfig(photometric=0.0, perceptual=0.0)})


class World(NamedTuple):
    workspace: Workspace
    photos: Collection
    held_out: Collection
    embedder: Artefact
    job: Job
    trained: TrainedRNet


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with new_home(tmp_path_factory.mktemp("rnet") / "home") as workspace:
        photos = photographed(workspace, WORLD, "reconstruction")
        held_out = photographed(workspace, WORLD.model_copy(update={"people": 3}), "heldout")
        embedder, job = some_embedder(workspace), some_job(workspace)
        trained = trained_rnet(workspace, photos, held_out, RNET, 1, job, embedder)
        yield World(workspace, photos, held_out, embedder, job, trained)


def again(world: World, config=RNET, embedder=None, **more) -> TrainedRNet:
    return trained_rnet(world.workspace, world.photos, world.held_out, config, 1, world.job, embedder, **more)


def unseen(world: World) -> list[Artefact]:
    return world.trained.data[-1:]


def test_the_stored_network_makes_the_errors_that_are_reported(world: World):
    network, shards = load_rnet(world.trained.artefact.path), unseen(world)
    outputs = torch.from_numpy(network.outputs(stacked(shards, "crops"), CPU))
    synthesis = FaceSynthesis(load_textured_face(), crop_camera(RNET.pixels), RNET.pixels)
    with torch.no_grad():
        faces = network.layout.decode(outputs)
        found = synthesis.landmarks(synthesis.vertices(faces)).numpy()
    distances = np.linalg.norm(found - stacked(shards, "landmarks"), axis=2)
    assert_allclose(world.trained.landmark_error.pixels, distances.mean(), rtol=1e-3)
    true = stacked(shards, "identity")
    gaps = [
        np.einsum("k,knc->nc", guess, load_face(80, 64, 0).identity_basis)
        - np.einsum("k,knc->nc", wanted, load_face(160, 72, 0).identity_basis)
        for guess, wanted in zip(faces.identity.numpy(), true, strict=True)
    ]
    assert_allclose(world.trained.error.neutral_mm, np.linalg.norm(gaps, axis=2).mean(), rtol=1e-3)
    assert world.trained.error.photos == world.trained.landmark_error.photos == len(true)


def test_before_training_every_face_is_the_mean_face(world: World):
    before = world.trained.untrained
    assert before.shape.neutral_mm == pytest.approx(before.shape.mean_face_mm, rel=0.01)
    assert before.shape.mean_face_mm == world.trained.error.mean_face_mm
    assert world.trained.landmark_error.pixels < before.landmarks.pixels


def test_mlflow_has_its_curve_figures_and_parameters(world: World):
    run = child_runs(world.workspace, world.job)["R-Net"]
    assert run.info.status == "FINISHED"
    curve = world.workspace.tracker.client.get_metric_history(run.info.run_id, "train.loss")
    assert [point.step for point in curve] == [1, 2]
    assert all(math.isfinite(point.value) for point in curve)
    metrics, params = run.data.metrics, run.data.params
    assert metrics["heldout.neutral_mm"] == pytest.approx(world.trained.error.neutral_mm)
    assert metrics["heldout.landmark_px"] == pytest.approx(world.trained.landmark_error.pixels)
    assert metrics["untrained.landmark_px"] == pytest.approx(world.trained.untrained.landmarks.pixels)
    assert (params["labels"], params["photometric"], params["depth"]) == ("0.05", "1.9", "18")
    assert (params["people"], params["photos"]) == ("8", "16")
    assert (run.data.tags["network"], run.data.tags["supervision"]) == ("rnet", "hybrid")


def test_asked_again_it_is_found_and_mlflow_gets_nothing_twice(world: World):
    manifest = world.trained.artefact.path / "manifest.json"
    before = manifest.stat().st_mtime_ns
    assert again(world, embedder=world.embedder) == world.trained
    assert manifest.stat().st_mtime_ns == before
    names = [run.info.run_name for run in child_runs(world.workspace, world.job).values()]
    assert names.count("R-Net") == 1


def test_its_lineage_leads_to_the_photos_and_to_the_network_that_its_losses_look_through(world: World):
    stages = {node.stage for node in ancestors(world.workspace.engine, world.trained.artefact.key)}
    assert stages == {"rnet", "landmarked", "photo-shards", "sphere20"}


def test_a_photo_network_that_no_loss_looks_through_changes_nothing(world: World):
    without = again(world, WEAK, name="R-Net weak")
    assert again(world, WEAK, world.embedder, name="R-Net weak").artefact == without.artefact
    assert without.artefact != world.trained.artefact
    stages = {node.stage for node in ancestors(world.workspace.engine, without.artefact.key)}
    assert "sphere20" not in stages
    assert child_runs(world.workspace, world.job)["R-Net weak"].data.tags["supervision"] == "weak"


def test_weak_training_is_given_no_labels(world: World):
    weak, hybrid = (landmark_shards(unseen(world), labelled).targets for labelled in (False, True))
    assert weak.shape == (len(hybrid), 136)
    assert hybrid.shape == (len(hybrid), 136 + 150)


def test_the_perceptual_loss_without_a_photo_network_is_refused_before_any_work(workspace: Workspace):
    nothing = Collection(Artefact("photos", "0" * 64, workspace.home), [])
    with pytest.raises(ConfigurationError, match=r"perceptual loss has weight 0\.2"):
        trained_rnet(workspace, nothing, nothing, RNET, 1, Job("job", "reconstructors", "run", "attempt"))


def test_a_training_broken_off_goes_on_and_ends_with_the_same_weights(
    world: World, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    """`announce` is called after each epoch: here somebody presses Ctrl-C in the second, when looks come in."""
    lines: list[str] = []

    def interrupted(line: str) -> None:
        lines.append(line)
        if "epoch 2/2" in line:
            raise KeyboardInterrupt

    given = (world.photos, world.held_out, RNET, 1, some_job(workspace), some_embedder(workspace))
    with monkeypatch.context() as patch:
        patch.setattr(rnet, "announce", interrupted)
        with pytest.raises(KeyboardInterrupt):
            trained_rnet(workspace, *given)
    assert list(workspace.store.artefacts("rnet")) == []
    with monkeypatch.context() as patch:
        patch.setattr(rnet, "announce", lines.append)
        resumed = trained_rnet(workspace, *given)
    assert [line.split(",")[0] for line in lines] == [f"R-Net: epoch {epoch}/2" for epoch in (1, 2, 2)]
    weights = [(each.artefact.path / "weights.safetensors").read_bytes() for each in (resumed, world.trained)]
    assert weights[0] == weights[1]


def test_the_weights_of_the_losses_start_from_those_of_the_papers():
    assert LossWeights(**LossWeightsConfig().model_dump()) == LossWeights()


def test_the_drawing_epochs_go_by_their_own_rate(world: World):
    def learnt(trained: TrainedRNet) -> dict[str, np.ndarray]:
        return {
            name: value.detach().numpy() for name, value in load_rnet(trained.artefact.path).network.named_parameters()
        }

    slow = RNET.model_copy(update={"drawing_rate": 1e-9})
    still = learnt(again(world, slow, world.embedder, name="slow"))
    longer = learnt(again(world, slow.model_copy(update={"epochs": 2}), world.embedder, name="slow, longer"))
    usual = learnt(world.trained)
    for name, values in longer.items():
        assert_allclose(values, still[name], atol=1e-6)
    assert max(np.abs(usual[name] - values).max() for name, values in still.items()) > 1e-3

"""C-Net on a trained R-Net: stored, tracked, and compared with the plain mean on people neither has seen."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from infra.profiles import PhotoWorldConfig
from infra.profiles.rnet import LossWeightsConfig
from models.errors import ArtefactError
from models.morphable.builtin import load_face
from models.networks.rnet import RNetwork
from models.reconstructors.rnet import RNet
from models.reconstructors.rnet_stored import load_cnet, load_rnet
from registry.lineage import ancestors
from tasks.cnet import COMPARED_VIEWS, TrainedCNet, trained_cnet, view_world
from tasks.jobs import Job
from tasks.rnet import TrainedRNet, trained_rnet
from tasks.rnet_supervision import stacked
from tasks.synthesise import Collection
from tasks.wiring import Workspace
from tests.tasks.homes import new_home
from tests.tasks.small_world import CNET, RNET, WORLD, child_runs, photographed, some_job

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
CPU = torch.device("cpu")
HYBRID = RNET.model_copy(update={"weights": LossWeightsConfig(perceptual=0.0, labels=0.05)})


class World(NamedTuple):
    workspace: Workspace
    job: Job
    rnet: TrainedRNet
    views: Collection
    held_out: Collection
    trained: TrainedCNet


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with new_home(tmp_path_factory.mktemp("cnet") / "home") as workspace:
        job = some_job(workspace)
        photos, others = (photographed(workspace, WORLD, split) for split in ("reconstruction", "heldout"))
        rnet = trained_rnet(workspace, photos, others, HYBRID, 1, job)
        views = photographed(workspace, view_world(WORLD, CNET, CNET.people), "reconstruction", seed=4)
        held_out = photographed(workspace, view_world(WORLD, CNET, CNET.held_out_people), "heldout", seed=4)
        trained = trained_cnet(workspace, rnet, views, held_out, CNET, 1, job)
        yield World(workspace, job, rnet, views, held_out, trained)


def test_pooled_identities_of_the_stored_networks_make_the_errors_that_are_reported(world: World):
    """A person at a time, with sums written out."""
    pooled = load_cnet(world.trained.artefact.path, load_rnet(world.rnet.artefact.path))
    unseen = world.trained.data[-len(world.held_out.shards) :]
    outputs, trust = pooled.views(stacked(unseen, "crops"), CPU)
    subjects, truth = stacked(unseen, "subject"), stacked(unseen, "identity")
    own, full = load_face(80, 64, 0).identity_basis, load_face(160, 72, 0).identity_basis
    for views, row in zip(COMPARED_VIEWS, world.trained.comparison, strict=True):
        confident, mean = [], []
        for subject in np.unique(subjects):
            rows = np.flatnonzero(subjects == subject)
            true = np.einsum("k,knc->nc", truth[rows[0]], full)
            for start in range(0, len(rows) - views + 1, views):
                part = rows[start : start + views]
                weighted = sum(trust[i] * outputs[i, :80] for i in part) / sum(trust[i] for i in part)
                plain = sum(outputs[i, :80] for i in part) / views
                for identity, errors in ((weighted, confident), (plain, mean)):
                    errors.append(np.linalg.norm(np.einsum("k,knc->nc", identity, own) - true, axis=1).mean())
        assert (row.views, row.sets, row.people) == (views, len(mean), CNET.held_out_people)
        assert_allclose([row.confident_mm, row.mean_mm], [np.mean(confident), np.mean(mean)], rtol=1e-4)
        assert row.gain_mm == pytest.approx(row.mean_mm - row.confident_mm, abs=1e-6)
        assert row.confident_mm != row.mean_mm


def test_it_belongs_to_its_rnet_and_to_no_other(world: World):
    own = load_rnet(world.rnet.artefact.path)
    other = RNet(RNetwork(HYBRID.depth, HYBRID.width), own.face, own.layout, own.crop_px)
    with pytest.raises(ArtefactError, match="another R-Net"):
        load_cnet(world.trained.artefact.path, other)


def test_mlflow_has_the_comparison_and_the_curve(world: World):
    run = child_runs(world.workspace, world.job)["C-Net"]
    assert run.info.status == "FINISHED"
    for row in world.trained.comparison:
        for name in ("confident_mm", "mean_mm", "single_mm", "gain_low_mm"):
            assert run.data.metrics[f"heldout.views{row.views}.{name}"] == pytest.approx(getattr(row, name))
    curve = world.workspace.tracker.client.get_metric_history(run.info.run_id, "train.loss")
    assert [point.step for point in curve] == [1, 2]
    assert (run.data.params["people"], run.data.params["photos"]) == ("4", "20")
    assert (run.data.params["views"], run.data.params["labels"]) == ("2", "0.05")


def test_asked_again_it_is_found_and_another_rnet_makes_another(world: World):
    settings = (world.views, world.held_out, CNET, 1, world.job)
    assert trained_cnet(world.workspace, world.rnet, *settings) == world.trained
    stages = {node.stage for node in ancestors(world.workspace.engine, world.trained.artefact.key)}
    assert stages == {"cnet", "rnet", "landmarked", "photo-shards"}


def test_its_world_shows_as_many_photos_a_shard_but_more_of_each_person():
    world = PhotoWorldConfig(people=100, photos_per_person=2, people_per_shard=25, occlusion=0.3)
    views = view_world(world, CNET.model_copy(update={"photos_per_person": 10}), 40)
    assert (views.people, views.photos_per_person, views.people_per_shard) == (40, 10, 5)
    assert views.occlusion == world.occlusion
    assert view_world(world.model_copy(update={"people_per_shard": 1}), CNET, 1).people_per_shard == 1

"""R-Net without any label, photometric loss off and on, beside the untrained network."""

import pytest

from infra.profiles.rnet import LossWeightsConfig
from tasks.weak_study import weak_rows
from tasks.wiring import Workspace
from tests.tasks.small_world import RNET, WORLD, child_runs, photographed, some_job

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def test_both_variants_learn_where_the_landmarks_of_unseen_faces_are(workspace: Workspace):
    photos = photographed(workspace, WORLD.model_copy(update={"people": 24}), "reconstruction")
    held_out = photographed(workspace, WORLD.model_copy(update={"people": 5}), "heldout")
    job = some_job(workspace)
    hybrid = RNET.model_copy(update={"weights": LossWeightsConfig(labels=0.05, perceptual=0.2)})
    rows = weak_rows(workspace, photos, held_out, hybrid, 1, job)
    assert [row.variant for row in rows] == ["photometric off", "photometric on"]
    off, on = rows
    assert off[4:] == on[4:], "both start from the same network"
    for row in rows:
        assert row.landmark_px < 0.8 * row.untrained_landmark_px
    assert off.landmark_px != on.landmark_px
    runs = child_runs(workspace, job)
    assert runs.keys() == {"R-Net weak, photometric off", "R-Net weak, photometric on"}
    for run in runs.values():
        assert (run.data.params["labels"], run.data.params["perceptual"]) == ("0.0", "0.0")
        assert run.data.tags["supervision"] == "weak"
    assert [run.data.params["photometric"] for run in runs.values()].count("0.0") == 1

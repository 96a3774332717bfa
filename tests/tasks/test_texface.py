"""TEx-Face trained as the product trains it, in sizes of seconds: its artefacts and runs, true errors, resuming."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from infra.profiles import PhotoWorldConfig, load_profile, profile_names
from infra.profiles.texface import TexFaceConfig
from infra.store import Artefact
from models.errors import ConfigurationError
from models.faceworld.relief import skin_relief
from models.faceworld.studio import open_studio
from models.morphable.builtin import load_face
from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.protocol import Reconstruction, from_crop
from models.reconstructors.texface_stored import load_texface
from models.rendering.mesh_normals import vertex_normals
from models.training.rows import EpochRow
from registry.lineage import ancestors
from tasks import texface
from tasks.jobs import Job
from tasks.synthesise import Collection
from tasks.texface import TrainedTexFace, train_texface
from tasks.texface_parts import Part, decoder_part, denoiser_part, encoder_part, network_shapes
from tasks.wiring import Workspace
from tests.tasks.homes import new_home
from tests.tasks.small_world import child_runs, photographed, some_job

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
SEED, CPU = 11, torch.device("cpu")
WORLD = PhotoWorldConfig(people=12, photos_per_person=2, pixels=64, people_per_shard=6)
CONFIG = load_profile("tiny").texface
PARTS = ("texface-decoder", "texface-encoder", "texface-denoiser")


def changed(part: str, **numbers: object) -> TexFaceConfig:
    """The configuration with other numbers for the training of one network."""
    network = getattr(CONFIG, part)
    return CONFIG.model_copy(
        update={part: network.model_copy(update={"training": network.training.model_copy(update=numbers)})}
    )


class Lab(NamedTuple):
    """A home with photos of some people to learn from and of others to be measured on, and a job."""

    workspace: Workspace
    photos: Collection
    unseen: Collection
    job: Job

    def train(self, config: TexFaceConfig = CONFIG) -> TrainedTexFace:
        return train_texface.fn(self.photos, self.unseen, config, SEED, self.job)

    def stored(self, stage: str) -> list[Artefact]:
        return list(self.workspace.store.artefacts(stage))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with new_home(tmp_path_factory.mktemp("lab") / "home") as home, pytest.MonkeyPatch.context() as patch:
        on_cpu = home.settings.model_copy(update={"device": "cpu"})  # where a resumed training repeats every bit
        workspace = home._replace(settings=on_cpu)
        for name in ("DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY"):
            patch.setenv(name, "true")
        patch.setattr(texface, "open_workspace", lambda: workspace)
        photos = photographed(workspace, WORLD, "reconstruction", SEED)
        unseen = photographed(workspace, WORLD.model_copy(update={"people": 5}), "heldout", SEED)
        yield Lab(workspace, photos, unseen, some_job(workspace))


@pytest.fixture(scope="module")
def trained(lab: Lab) -> TrainedTexFace:
    return lab.train()


def test_it_opens_as_a_reconstructor_and_generates(lab: Lab, trained: TrainedTexFace):
    model = load_texface(trained.artefact.path)
    assert model.denoiser is not None
    crops = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 64), dtype=np.uint8)
    outcomes = open_reconstructor("texface", trained.artefact.path).reconstruct(map(from_crop, crops, "ab"), CPU)
    assert [isinstance(outcome, Reconstruction) for outcome in outcomes] == [True, True]


def test_each_network_has_a_run_with_its_curve_parameters_and_errors(lab: Lab, trained: TrainedTexFace):
    client, runs = lab.workspace.tracker.client, child_runs(lab.workspace, lab.job)
    assert runs.keys() == set(PARTS)
    for name, part in zip(PARTS, (CONFIG.decoder, CONFIG.encoder, CONFIG.denoiser), strict=True):
        run = runs[name]
        assert run.info.status == "FINISHED"
        assert {int(run.data.params[key]) for key in ("epochs", "seed")} == {part.training.epochs, SEED}
        curve = client.get_metric_history(run.info.run_id, "train.loss")
        assert [point.step for point in curve] == list(range(1, part.training.epochs + 1))
        assert all(np.isfinite(point.value) for point in curve)
    assert runs["texface-encoder"].data.metrics["heldout.expressive_mm"] == trained.error.expressive_mm
    decoder, denoiser = runs["texface-decoder"].data.metrics, runs["texface-denoiser"].data.metrics
    assert 0 < decoder["heldout.basis_floor_mm"] < decoder["heldout.linear_mm"]
    assert decoder["heldout.mm"] > 0
    assert 0 < denoiser["heldout.velocity"] < 1.5
    assert 0 <= denoiser["heldout.as_asked"] <= 1
    assert denoiser["heldout.spread_mm"] > 0


def test_errors_are_distances_from_the_true_heads_with_their_relief(lab: Lab, trained: TrainedTexFace):
    model, studio, fine = load_texface(trained.artefact.path), open_studio(), load_face(160, 72)
    (shard,) = [made for made in trained.data if made.stage == "regression" and len(_numbers(made)) == 10]
    crops, identity, expression = (np.load(shard.path / f"{name}.npy") for name in ("crops", "identity", "expression"))
    made, linear, still = [], [], []
    for number, who, how, crop in zip(_numbers(shard), identity, expression, crops, strict=True):
        (face,) = model.coefficients(crop[None], CPU)
        (estimate,) = model.vertices([face], CPU)
        (rough,) = model.linear([face], CPU)
        relief = skin_relief(fine.template, studio.person("heldout", SEED, number - 1).seed, CONFIG.codes.relief_mm)
        for into, surface, truth in (
            (made, estimate, fine.shape(who, how)),
            (linear, model.face.shape(rough.identity, rough.expression), fine.shape(who, how)),
            (still, model.face.template, fine.shape(who, 0 * how)),
        ):
            rough_skin = truth + vertex_normals(truth, fine.triangles) * relief[:, None]
            into.append(np.linalg.norm(surface - rough_skin, axis=1).mean())
    error = trained.error
    assert error.photos == 10
    figures = (error.expressive_mm, error.linear_expressive_mm, error.mean_face_mm)
    assert_allclose(figures, np.mean([made, linear, still], axis=1), rtol=1e-3)
    assert 0.2 < error.neutral_mm < 6
    assert 0 < error.expressive_deg < 45


def _numbers(shard: Artefact) -> list[int]:
    return [int(number) for number in np.load(shard.path / "subject.npy")]


def test_asked_again_it_trains_nothing(lab: Lab, trained: TrainedTexFace):
    before = {stage: [made.key for made in lab.stored(stage)] for stage in (*PARTS, "texface", "styled-faces")}
    assert lab.train() == trained
    assert {stage: [made.key for made in lab.stored(stage)] for stage in before} == before
    stages = {node.stage for node in ancestors(lab.workspace.engine, trained.artefact.key)}
    assert {*PARTS, "style-space", "styled-faces", "regression", "photo-shards"} <= stages


@pytest.mark.parametrize(
    ("part", "remade"),
    [
        ("denoiser", {"texface-denoiser", "texface"}),
        ("encoder", {"texface-encoder", "texface"}),
        ("decoder", {"texface-decoder", "texface-encoder", "texface"}),
    ],
)
def test_a_change_in_one_training_redoes_only_what_follows_from_it(
    lab: Lab, trained: TrainedTexFace, part: str, remade: set[str]
):
    stages = (*PARTS, "texface", "style-space", "styled-faces", "regression")
    before = {stage: {made.key for made in lab.stored(stage)} for stage in stages}
    again = Lab(*lab[:3], some_job(lab.workspace, part)).train(changed(part, learning_rate=1.5e-3))
    assert {stage for stage in stages if {made.key for made in lab.stored(stage)} != before[stage]} == remade
    assert again.artefact != trained.artefact


def parts(lab: Lab, trained: TrainedTexFace) -> dict[str, Part]:
    made = {name: [each for each in trained.data if each.stage == name] for name in (*PARTS, "regression")}
    styled = texface.draw_styled_faces(lab.workspace, CONFIG.codes, SEED)
    (decoder,), photos = made["texface-decoder"], made["regression"]
    listed = (
        decoder_part(styled, CONFIG, SEED, CPU),
        encoder_part(decoder, photos[:-1], photos[-1:], CONFIG, SEED, CPU),
        denoiser_part(styled, CONFIG, SEED, CPU),
    )
    return {part.name: part for part in listed}


@pytest.mark.parametrize("name", PARTS)
def test_a_training_that_was_broken_off_ends_with_the_bytes_of_the_unbroken_one(
    lab: Lab, trained: TrainedTexFace, tmp_path: Path, name: str
):
    part = parts(lab, trained)[name]
    folder, scratch = tmp_path / "made", tmp_path / "scratch"
    folder.mkdir()
    seen: list[int] = []

    def break_off(row: EpochRow) -> None:
        if row.epoch == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        part.fit(folder, scratch, break_off)
    part.fit(folder, scratch, lambda row: seen.append(row.epoch))
    assert seen[0] == 2
    (whole,) = [made for made in trained.data if made.stage == name]
    weights = {path.name for path in whole.path.glob("*.safetensors")}
    assert weights
    for file in weights | {"error.json"}:
        assert (folder / file).read_bytes() == (whole.path / file).read_bytes()


def test_numbers_that_do_not_fit_are_told_before_anything_is_trained(lab: Lab):
    before = len(lab.stored("style-space"))
    crooked = CONFIG.model_copy(update={"denoiser": CONFIG.denoiser.model_copy(update={"piece": 7})})
    codes = crooked.codes.model_copy(update={"fitted_on": CONFIG.codes.fitted_on + 1})
    with pytest.raises(ConfigurationError, match="choose pieces that divide"):
        lab.train(crooked.model_copy(update={"codes": codes}))
    assert len(lab.stored("style-space")) == before


@pytest.mark.parametrize("name", profile_names())
def test_the_numbers_of_every_profile_fit(name: str):
    config = load_profile(name).texface
    assert network_shapes(config).decoder.code == config.codes.identity + config.codes.expression
    assert 2 * config.codes.fitted_on >= config.codes.identity
    assert json.loads(config.model_dump_json()) == config.model_dump()

"""Classifiers from photos to a champion that answers: every stage for real, on a few people, with nets as drawn."""

import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from infra.profiles import load_profile
from infra.profiles.classifiers import ClassifierGateConfig, ClassifiersConfig, GenderConfig
from infra.profiles.portraits import PortraitsConfig, StudioConfig
from infra.store import Artefact
from models.classifiers.stored import load_classifier
from models.errors import AssetMissing, ConfigurationError, DataError
from models.export.classifier import INPUT, read_shape
from models.export.latency import Latency
from models.export.onnx import load_session
from models.networks.cnet import CNet
from models.networks.rnet import RNetwork
from models.networks.rnet_layout import RNetLayout
from models.reconstructors.rnet_stored import load_cnet, load_rnet, save_cnet, save_rnet
from registry.errors import TrackingError
from registry.lineage import ancestors, is_complete
from registry.packaging import fetch_graph, find_version
from tasks import (
    align,
    classifier_data,
    classifier_release,
    coefficient_tables,
    confirmation,
    faces,
    fit_classifier,
    portraits,
    promotion,
)
from tasks import classifier_training as training_module
from tasks.build_faces import face_photos
from tasks.classifier_data import LabelledPhotos, records_of
from tasks.classifier_designs import Experiment, gender_experiments
from tasks.classifier_release import (
    classifier_card,
    export_trained,
    gate_metrics,
    gates,
    outcomes_of,
    register_classifier,
)
from tasks.classifier_results import reliability_of, task_figures, telling_apart
from tasks.classifier_study import LOGISTIC, NEAREST, PHOTOS, RESNET, Study, candidates
from tasks.classifier_training import Candidate
from tasks.classifiers import Trained, trained_classifier
from tasks.classify import classify_faces
from tasks.coefficient_tables import tabulate
from tasks.faces import Faces, coefficients_of
from tasks.jobs import Job
from tasks.parquet import read_parquet, write_parquet
from tasks.portraits import simulated_portraits
from tasks.stages import make
from tasks.variants import Variant
from tasks.wiring import Workspace
from tests.tasks.homes import new_home
from tests.tasks.plain_snapshots import take_in
from tests.tasks.small_world import child_runs

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
PIXELS = 48
SMALL = PortraitsConfig(
    kdef=StudioConfig(women=1, men=1, height_px=96, people_per_shard=1),
    fei=StudioConfig(women=4, men=4, height_px=96, people_per_shard=4),
)
CONFIG: ClassifiersConfig = load_profile("tiny").classifiers.model_copy(
    update={"gender": GenderConfig(photos_pooled=3, sets_per_person=6, folds=2), "photo_pixels": PIXELS}
)
MODULES = (align, classifier_data, classifier_release, coefficient_tables, faces, fit_classifier, portraits)


class World(NamedTuple):
    workspace: Workspace
    faces: Faces
    data: LabelledPhotos
    cnet: Artefact
    experiments: list[Experiment]
    job: Job
    study: Study


def drawn_nets(workspace: Workspace) -> tuple[Artefact, Artefact]:
    """An R-Net and a C-Net that have learnt nothing: their numbers differ from photo to photo, which is all we need."""
    torch.manual_seed(0)
    network, layout = RNetwork(18, 0.125, RNetLayout().size), RNetLayout()
    torch.nn.init.normal_(network.head.weight, std=0.05)
    confidence = CNet(network.feature_count, layout.identity, 8)
    torch.nn.init.normal_(confidence.outer.weight, std=0.3)
    code = ["models.reconstructors.rnet_stored"]
    rnet = make(
        workspace, "rnet", [], {}, code, lambda folder, _: save_rnet(folder, network, layout, 18, 0.125, PIXELS)
    )
    return rnet, make(workspace, "cnet", [rnet], {}, code, lambda folder, _: save_cnet(folder, confidence, network))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    profile = load_profile("tiny").model_copy(update={"portraits": SMALL})
    with new_home(tmp_path_factory.mktemp("classifiers") / "home") as workspace, pytest.MonkeyPatch.context() as patch:
        for module in (*MODULES, training_module):
            patch.setattr(module, "open_workspace", lambda: workspace)
        patch.setattr(portraits, "synthesise_portraits", portraits.synthesise_portraits.fn)
        take_in(workspace, patch)
        photos = simulated_portraits("fei", profile)
        rnet, cnet = drawn_nets(workspace)
        crops = align.align_photos.fn(photos.snapshot, photos.root, PIXELS, PIXELS)
        found = coefficients_of.fn(crops, photos.root, PIXELS, Variant("rnet", rnet))
        data = LabelledPhotos(photos, records_of(photos), crops, tabulate.fn(found, cnet))
        run = workspace.tracker.run("classifiers", "tiny", "job")
        job = Job("job", "classifiers", run.run_id, "attempt")
        experiments = gender_experiments(data.records, CONFIG.gender, 1)
        yield World(workspace, found, data, cnet, experiments, job, _studied(workspace, data, experiments, job))


def _studied(workspace: Workspace, data: LabelledPhotos, experiments: list[Experiment], job: Job) -> Study:
    study: Study = {"gender": {}}
    for candidate in [*candidates("gender"), Candidate(PHOTOS, "photos")]:
        study["gender"][candidate.name] = [
            trained_classifier(
                workspace,
                data,
                each.photos if candidate.kind == "photos" else each.sets,
                candidate,
                CONFIG,
                f"gender: {candidate.name} {each.fold}",
                1,
                job,
            )
            for each in experiments
        ]
    return study


def first(world: World, name: str = RESNET) -> Trained:
    return world.study["gender"][name][0]


def test_the_table_holds_what_the_networks_say_of_each_photo_and_names_them(world: World):
    table = world.data.table.read()
    assert table.source == world.data.table.source
    rnet = world.faces.variant.artefact
    assert rnet is not None
    assert table.source.reconstructor == f"rnet {rnet.key}"
    assert table.source.confidence == world.cnet.key
    assert len(table.paths) == 8 * 14 - len(world.data.table.failures)
    net = load_cnet(world.cnet.path, load_rnet(rnet.path))
    crops = [np.load(shard.path / "reconstructor.npy", allow_pickle=False) for shard in world.data.crops.shards]
    outputs, confidence = net.views(np.concatenate(crops), torch.device("cpu"))
    order = [row.path for row in world.data.crops.rows()]
    mine = [order.index(path) for path in table.paths]
    assert_allclose(table.part("identity"), outputs[mine, :80], atol=0.05)
    assert_allclose(table.part("expression"), outputs[mine, 80:144], atol=0.05)
    assert table.confidence is not None
    assert_allclose(table.confidence, confidence[mine], atol=0.05)


def test_failures_are_rows_with_their_reason_and_no_coefficients(world: World, tmp_path):
    lost = world.faces._replace(shards=world.faces.shards)
    good, bad = write_parquet(lost, tmp_path / "all.parquet")
    rows = pq.read_table(tmp_path / "all.parquet")
    assert (good, bad) == (len(world.faces.rows()), len(world.data.table.failures))
    assert rows["status"].to_pylist().count("ok") == good
    assert set(rows["cnet"].to_pylist()) <= {"", None}
    assert read_parquet(tmp_path / "all.parquet").confidence is None
    (tmp_path / "not.parquet").write_text("no")
    with pytest.raises(DataError, match="not a table of coefficients"):
        read_parquet(tmp_path / "not.parquet")


def test_labels_come_from_the_snapshot(world: World):
    listed = {record.path: (record.subject, record.gender) for record in world.data.records}
    assert len(listed) == 8 * 14
    assert sorted({who for who, gender in listed.values() if gender == "f"}) != []
    assert len({who for who, _ in listed.values()}) == 8
    assert world.data.genders() == {path: gender for path, (_, gender) in listed.items()}


def test_gender_trains_on_triples_and_validates_people_as_a_whole(world: World):
    design = world.experiments[0].sets
    assert {len(photos) for photos in design.training.photos} == {3}
    assert len(design.training.photos) == 4 * 6
    assert {len(photos) for photos in design.validation.photos} == {14}
    assert len(design.validation.photos) == 4
    assert not set(design.training.subjects) & set(design.validation.subjects)
    sides = [set(each.sets.validation.subjects) for each in world.experiments]
    assert not sides[0] & sides[1], "in two folds everybody validates once"


def test_what_a_stored_network_answers_is_what_was_scored(world: World):
    trained = first(world)
    network, shape = load_classifier(trained.artefact.path)
    table, design = world.data.table.read(), trained.design
    assert shape.source == table.source
    assert shape.tasks == {"gender": ("f", "m")}
    wanted = []
    for photos in design.validation.photos:
        rows = table.rows(photos)
        assert table.confidence is not None
        trust, identity = table.confidence[rows].astype(np.float64), table.part("identity")[rows]
        wanted.append((trust * identity).sum(axis=0) / trust.sum(axis=0))
    with torch.no_grad():
        (logits,) = network(torch.from_numpy(np.stack(wanted).astype(np.float32)))
    assert_allclose(trained.answered().logits, logits.numpy(), atol=1e-3)
    assert_array_equal(trained.answered().truth, design.validation.answers[:, 0])


def test_trained_again_it_is_found_and_mlflow_has_each_once(world: World):
    trained = first(world)
    again = trained_classifier(
        world.workspace, world.data, trained.design, trained.candidate, CONFIG, f"gender: {RESNET} 0", 1, world.job
    )
    assert again.artefact == trained.artefact
    runs = child_runs(world.workspace, world.job)
    run = runs[f"gender: {RESNET} 0"]
    assert run.info.status == "FINISHED"
    answers = trained.answered()
    accuracy = float((answers.answers() == answers.truth).mean())
    assert run.data.metrics["gender.accuracy"] == pytest.approx(accuracy)
    assert run.data.metrics["train.seconds_per_input"] == pytest.approx(trained.seconds_per_input)
    assert run.data.params["training_inputs"] == "24"
    curve = world.workspace.tracker.client.get_metric_history(run.info.run_id, "train.loss")
    assert [point.step for point in curve] == list(range(1, CONFIG.resnet34.epochs(24) + 1))


def test_the_lineage_of_a_classifier_leads_to_the_photos_and_the_reconstructor(world: World):
    nodes = ancestors(world.workspace.engine, first(world).artefact.key)
    stages = {node.stage for node in nodes}
    assert {"classifier", "coefficient-table", "confidences", "coefficients", "crops", "rnet", "cnet"} <= stages
    assert is_complete(nodes)
    assert world.data.photos.snapshot.id in {node.hash for node in nodes}


def test_the_image_baseline_sees_the_same_photos_on_the_same_sides(world: World):
    trained = first(world, PHOTOS)
    assert {len(photos) for photos in trained.design.training.photos} == {1}
    sets = first(world).design
    for ours, theirs in ((sets.training, trained.design.training), (sets.validation, trained.design.validation)):
        assert set(ours.subjects) == set(theirs.subjects)
    assert trained.design.protocol == sets.protocol
    assert set(trained.by_photo()) <= {photos[0] for photos in trained.design.validation.photos}


def test_figures_lay_every_model_beside_the_others(world: World):
    found = task_figures(world.study, "gender", 1)
    assert list(found["models"]) == [RESNET, LOGISTIC, NEAREST, PHOTOS, "photos, voted"]
    assert found["labels"] == ["f", "m"]
    assert found["class_balance"] == {
        "training_inputs": {"f": 12, "m": 12},
        "largest_share": 0.5,
        "largest_over_smallest": 1.0,
    }
    ours, photos = found["models"][RESNET], found["models"][PHOTOS]
    assert (ours["inputs"], ours["people"]) == (8, 8)
    assert photos["inputs"] == 8 * 14
    assert ours["gain_over_photos"] == pytest.approx(ours["accuracy"] - photos["accuracy"])
    voted = found["models"]["photos, voted"]["accuracy"]
    assert ours["gain_over_voted_photos"]["value"] == pytest.approx(ours["accuracy"] - voted)
    assert json.loads(json.dumps(found)) == found
    assert reliability_of(world.study["gender"][RESNET], 1) is not None
    assert telling_apart(world.data)["numbers"] == 80


def test_the_gain_over_photos_is_over_the_folds_that_photos_were_trained_on(world: World):
    every = world.study["gender"]
    few = {**every, PHOTOS: every[PHOTOS][:1]}
    ours = task_figures({"gender": few}, "gender", 1)["models"][RESNET]
    shares = [
        float((each.answered().answers() == each.answered().truth).mean()) for each in (first(world), few[PHOTOS][0])
    ]
    assert ours["gain_over_photos"] == pytest.approx(shares[0] - shares[1])
    assert len(ours["folds"]) == 2, "its own figure is still that of all folds"


def test_a_champion_answers_for_photos_and_people_and_refuses_another_reconstructor(world: World):
    trained, figures = first(world), task_figures(world.study, "gender", 1)
    exported = export_trained.fn(trained, world.data.table)
    assert exported.parity_max_abs < 1e-4
    licences = {"photos": "CC0-1.0"}
    config = ClassifierGateConfig(gender=0.0, gain_over_photos=-1.0)
    outcomes = outcomes_of(world.study["gender"][RESNET])
    assert float(np.mean(outcomes.hits)) == pytest.approx(figures["models"][RESNET]["accuracy"])
    registered = register_classifier.fn(trained, exported, figures, outcomes, config, licences, "gender", world.job)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promotion, "open_workspace", lambda: world.workspace)
        patch.setattr(confirmation, "announce", lambda *_: None)
        judged = promotion.judge.fn("gender", registered.version)
        assert judged.decision.reasons == ()
        released = promotion.make_champion.fn(judged)
    assert (released.alias, released.promoted, released.reasons) == ("champion", True, ())
    version = find_version(world.workspace.tracker, "gender", "@champion")
    graph = fetch_graph(world.workspace.tracker, version)
    shape = read_shape(load_session(graph).get_modelmeta().custom_metadata_map, "gender")
    assert shape.source == world.data.table.source
    assert json.loads(version.tags["trinormal.labels"]) == {"gender": ["f", "m"]}
    assert version.tags["trinormal.space"] == shape.source.space

    photos = list(face_photos(world.data.photos.root, world.data.crops.shards[0].path, PIXELS, None))[:5]
    told = classify_faces(world.workspace, photos, "gender", True, "gender")
    assert [len(each.photos) for each in told.answers] == [5]
    table = world.data.table.read()
    rows = table.rows([photo.path for photo in photos])
    assert table.confidence is not None
    trust = table.confidence[rows].astype(np.float64)
    pooled = ((trust * table.part("identity")[rows]).sum(axis=0) / trust.sum(axis=0)).astype(np.float32)
    wanted = load_session(graph).run(["gender"], {INPUT: pooled[None]})[0]
    assert_allclose(list(told.answers[0].probabilities.values()), np.asarray(wanted)[0], atol=1e-3)
    one_by_one = classify_faces(world.workspace, photos, "gender", False, "gender")
    assert [each.photos for each in one_by_one.answers] == [(photo.path,) for photo in photos]
    named = classify_faces(world.workspace, photos, "gender", False, "gender", version.version)
    assert (named.answers, named.version) == (one_by_one.answers, version.version)
    with pytest.raises(TrackingError, match="7"):
        classify_faces(world.workspace, photos, "gender", False, "gender", "7")
    for person in (True, False):
        assert classify_faces(world.workspace, [], "gender", person, "gender").answers == [], "no face, no answer"
    with pytest.raises(ConfigurationError, match="no answers to 'expression'"):
        classify_faces(world.workspace, photos, "expression", False, "gender")

    rnet = world.faces.variant.artefact
    assert rnet is not None
    world.workspace.store.remove(rnet)
    with pytest.raises(AssetMissing, match=r"not in this home folder; bring it here"):
        classify_faces(world.workspace, photos, "gender", False, "gender")


def test_without_a_champion_it_says_how_to_get_one(workspace: Workspace):
    with pytest.raises(AssetMissing, match="model 'gender' has no champion here; train one with"):
        classify_faces(workspace, [], "gender", False, "gender")


FIGURES = {
    "task": "gender",
    "labels": ["f", "m"],
    "class_balance": {"training_inputs": {"f": 10, "m": 12}},
    "models": {
        RESNET: {
            "accuracy": 0.96,
            "low": 0.9,
            "high": 1.0,
            "macro_f1": 0.95,
            "ece": None,
            "inputs": 100,
            "unanswered": 2,
            "gain_over_photos": 0.1,
        }
    },
}


@pytest.mark.parametrize(
    ("change", "refused"),
    [({}, []), ({"accuracy": 0.94}, ["accuracy"]), ({"gain_over_photos": -0.01}, ["gain_over_photos"])],
)
def test_the_gate_asks_for_accuracy_and_a_gain_over_photos(change, refused):
    from registry.gates import judge
    from tasks.release import Exported

    models = {RESNET: FIGURES["models"][RESNET] | change}
    metrics = gate_metrics(
        {**FIGURES, "models": models}, Exported(Artefact("x", "0" * 64, None), 1e-6), Latency(3.0, 4.0, 200)
    )
    decision = judge(metrics, gates(ClassifierGateConfig(), "gender"))
    assert [reason.split(" ")[0] for reason in decision.reasons] == refused


def test_without_an_image_baseline_nothing_is_promoted():
    from registry.gates import judge
    from tasks.release import Exported

    models = {RESNET: {name: value for name, value in FIGURES["models"][RESNET].items() if name != "gain_over_photos"}}
    metrics = gate_metrics(
        {**FIGURES, "models": models}, Exported(Artefact("x", "0" * 64, None), 1e-6), Latency(3.0, 4.0, 200)
    )
    assert judge(metrics, gates(ClassifierGateConfig(), "gender")).reasons == ("gain_over_photos is missing",)


def test_the_card_tells_what_it_takes_and_how_it_was_measured():
    tags = {"trinormal.input": "identity", "trinormal.space": "builtin-1", "trinormal.reconstructor": "rnet 01"}
    card = classifier_card(FIGURES, tags, {"photos": "CC0-1.0"})
    assert "| resnet | 0.960 | 0.900-1.000 | 0.950 | - |" in card
    assert "Training inputs by class: f 10, m 12." in card
    assert "space\n`builtin-1`, by reconstructor `rnet 01`; others are refused" in card

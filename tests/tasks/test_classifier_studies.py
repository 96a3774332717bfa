"""Which classifiers are trained on what, and the report of a study."""

from pathlib import Path
from typing import Any

import pytest

from infra.profiles import load_profile
from models.readers.fei import index_fei
from models.readers.kdef import index_kdef
from models.readers.records import PhotoRecord
from tasks.classifier_designs import (
    EXPRESSION,
    EXPRESSION_BY_IMAGE,
    GENDER,
    INDIVIDUAL,
    all_experiments,
    own_experiments,
)
from tasks.classifier_effects import leakage_figures
from tasks.classifier_report import as_markdown, draw, page, table_of
from tasks.classifier_results import tables
from tasks.classifier_study import (
    ALONE,
    LOGISTIC,
    NEAREST,
    PHOTOS,
    PLAIN_MEAN,
    RESNET,
    SINGLE,
    TEXTURE,
    TOGETHER,
    own_wanted,
    wanted,
)
from tasks.mesh_tables import MESH
from tasks.paper_b import PAPER
from tests.protocols import collections_by_name as names

DEMO = load_profile("demo").classifiers
GENDERS = {str(who): "fm"[who % 2] for who in range(1, 201)}


@pytest.fixture(scope="module")
def experiments():
    return all_experiments(list(index_kdef(names.kdef())), list(index_fei(names.fei(), GENDERS)), DEMO, 1)


def test_the_protocols_are_the_papers(experiments):
    (first, *others) = experiments[INDIVIDUAL]
    assert (len(first.sets.training.photos), len(first.sets.validation.photos)) == (10 * 1140, 10 * 455)
    assert (len(first.photos.training.photos), len(first.photos.validation.photos)) == (200, 150)
    assert len(others) == DEMO.individual.folds - 1
    by_subject, by_image = experiments[EXPRESSION][0], experiments[EXPRESSION_BY_IMAGE][0]
    assert (len(by_image.sets.training.photos), len(by_image.sets.validation.photos)) == (2975, 1925)
    assert (len(by_subject.sets.training.photos), len(by_subject.sets.validation.photos)) == (2975, 1890)
    assert [each.leaks for each in (first, by_subject, by_image)] == [False, False, True]
    gender = experiments[GENDER][0]
    assert len(gender.sets.validation.photos) == 100
    assert len(gender.sets.training.photos) == 100 * DEMO.gender.sets_per_person


def test_every_fold_has_the_network_and_the_linear_baselines_and_the_first_all_options(experiments):
    asked = wanted(experiments, DEMO)
    found = {(each.experiment, each.candidate.name, each.fold) for each in asked}
    assert len(found) == len(asked), "none twice"
    for name, folds in experiments.items():
        for fold in range(len(folds)):
            assert {(name, model, fold) for model in (RESNET, LOGISTIC, NEAREST)} <= found
        assert (name, PHOTOS, 0) in found
    assert {(name, TEXTURE, 0) for name in (INDIVIDUAL, GENDER, EXPRESSION)} <= found
    assert {(name, PLAIN_MEAN, 0) for name in (INDIVIDUAL, GENDER)} <= found
    beyond = {SINGLE, TOGETHER, f"{ALONE}: {EXPRESSION}", f"{ALONE}: {GENDER}"}
    assert {(EXPRESSION, name, 0) for name in beyond} <= found


def test_networks_and_inputs_are_those_of_the_paper(experiments):
    chosen = {(each.experiment, each.candidate.name): each for each in wanted(experiments, DEMO)}
    for name in (INDIVIDUAL, GENDER):
        candidate = chosen[name, RESNET].candidate
        assert (candidate.depth, candidate.parts, candidate.confident) == (34, ("identity",), True)
    candidate = chosen[EXPRESSION, RESNET].candidate
    assert (candidate.depth, candidate.parts, candidate.confident) == (32, ("expression",), False)
    together = chosen[EXPRESSION, TOGETHER].design
    assert list(together.tasks) == [EXPRESSION, GENDER]
    assert together.training.answers.shape == (2975, 2)


def test_own_photos_are_told_apart_by_each_reconstructor_and_the_raw_mesh():
    records = [PhotoRecord(f"s{who}/{number}.pgm", f"s{who}") for who in range(4) for number in range(10)]
    folds = own_experiments(records, 5, 1)
    ours = own_wanted("landmarks", folds, DEMO, first=True)
    assert {each.candidate.name for each in ours} == {RESNET, LOGISTIC, NEAREST, f"{LOGISTIC}, both parts", PHOTOS}
    assert {each.fold for each in ours if each.candidate.name == RESNET} == set(range(5))
    mesh = own_wanted(MESH, folds, DEMO, first=False)
    assert {(each.candidate.name, each.candidate.parts) for each in mesh} == {(LOGISTIC, (MESH,)), (NEAREST, (MESH,))}


def figures(accuracy: float, seconds: float | None = None) -> dict[str, Any]:
    spread = {"low": max(0.0, accuracy - 0.1), "high": min(1.0, accuracy + 0.1), "people": 20, "inputs": 100}
    rest = {"macro_f1": accuracy, "ece": 0.08, "ece_calibrated": None, "unanswered": 0, "folds": [accuracy]}
    return {"accuracy": accuracy, **spread, **rest, "seconds_per_input": seconds}


def experiment(task: str, labels: list[str], resnet: float) -> dict[str, Any]:
    models = {
        RESNET: figures(resnet, 0.0005),
        LOGISTIC: figures(0.8),
        NEAREST: figures(0.7),
        PHOTOS: figures(0.6, 0.009),
        "photos, voted": figures(0.65),
    }
    even = {"training_inputs": dict.fromkeys(labels, 5), "largest_share": 1 / len(labels), "largest_over_smallest": 1.0}
    sizes = {"training_inputs": 10, "validation_inputs": 5, "protocols": ["ab" * 32], "class_balance": even}
    return {"task": task, "labels": labels, **sizes, "models": models}


EMOTIONS = ["afraid", "angry", "disgusted", "happy", "neutral", "sad", "surprised"]


def some_results() -> dict[str, Any]:
    tasks = {
        INDIVIDUAL: experiment(INDIVIDUAL, ["F01", "M01"], 0.995),
        GENDER: experiment(GENDER, ["f", "m"], 0.96),
        EXPRESSION: experiment(EXPRESSION, EMOTIONS, 0.82),
        EXPRESSION_BY_IMAGE: experiment(EXPRESSION, EMOTIONS, 0.91),
    }
    shares = [[float(row == column) for column in range(7)] for row in range(7)]
    own = {"labels": EMOTIONS, "shares": shares, "counts": [[0] * 7] * 7, "unanswered": [0] * 7}
    beside = {"without": 0.8, "with": 0.85, "effect": 0.05, "low": -0.01, "high": 0.11}
    source = {"space": "builtin-1/id80/exp64", "reconstructor": "rnet " + "0" * 64, "confidence": "1" * 64}
    return {
        "profile": "demo",
        "data": "simulated KDEF and FEI",
        "photos": {
            "kdef": {"name": "KDEF", "snapshot": "s", "count": 4900, "failures": 3, "coefficients": "c", **source}
        },
        "tasks": tasks,
        "tables": tables(tasks, own),
        "leakage": leakage_figures(tasks),
        "options": {
            "texture": {GENDER: beside},
            "multi_task": {EXPRESSION: beside},
            "pooling": {GENDER: beside},
            "views": {EXPRESSION: beside},
            "calibration": {GENDER: {"ece": 0.1, "ece_calibrated": 0.02}},
        },
        "registered": [
            {"name": "gender", "version": "3", "alias": "challenger", "promoted": False, "reasons": ["short"]}
        ],
    }


def test_tables_lay_the_papers_figures_beside_ours():
    found = some_results()["tables"]
    assert found["1"][INDIVIDUAL]["ours"][RESNET] == 0.995
    assert found["1"][EXPRESSION_BY_IMAGE]["paper"] == {"photos": 0.706, "resnet": 0.835}
    assert found["2"][GENDER]["times_faster"] == pytest.approx(18)
    assert found["3"]["paper"] is PAPER["confusion"]


def test_the_papers_confusion_is_one_of_shares_with_its_diagonal():
    rows = PAPER["confusion"]
    assert [rows[place][place] for place in range(7)] == [0.7526, 0.65, 0.8675, 0.9577, 0.9322, 0.8057, 0.8578]
    assert all(sum(row) == pytest.approx(1, abs=0.005) for row in rows)


def test_the_leak_is_what_a_split_by_image_adds():
    found = leakage_figures(some_results()["tasks"])
    assert found[RESNET]["leak"] == pytest.approx(0.09)
    assert found[RESNET]["by_subject"] == {"accuracy": 0.82, "low": pytest.approx(0.72), "high": pytest.approx(0.92)}


def test_a_table_says_what_it_has_no_figure_for():
    rows = table_of(some_results()["tasks"][GENDER])
    assert rows[0] == ["resnet", "96.0", "86.0-100.0", "96.0", "0.080", "-", "0.50"]
    assert rows[1][-1] == "-"


def test_the_page_and_the_artifact_show_tables_pictures_and_verdicts(tmp_path: Path):
    results = some_results()
    curve = {"confidence": [0.5, 0.9], "accuracy": [0.4, 0.95], "inputs": [3, 9]}
    pictures = draw(tmp_path, results, {GENDER: curve})
    assert [(tmp_path / name).read_bytes()[:4] for name in pictures] == [b"\x89PNG"] * 3
    shown = page(results, tmp_path, pictures)
    assert "http" not in shown.replace("http-equiv", "")
    assert shown.count("data:image/png;base64,") == 3
    assert "<b>99.5</b> (100.0)" in shown, "ours, and the paper's in brackets"
    assert '(100.0)<br><span class="note">89.5-100.0</span>' in shown, "with its interval"
    assert '<td>82.0 <span class="note">72.0-92.0</span></td>' in shown, "the leak's sides have intervals too"
    assert '+5.0 <span class="note">-1.0 to +11.0</span>' in shown
    assert "on the first fold of each task only" in shown
    assert "gender version 3 is" in shown
    assert "| resnet | 96.0 | 86.0-100.0 |" in as_markdown(results)
    assert "gender version 3 is challenger. short" in as_markdown(results)


def test_own_photos_make_a_page_without_the_papers_tables(tmp_path: Path):
    whole = some_results()
    results = {name: whole[name] for name in ("profile", "data", "photos")}
    apart = {"landmarks": {"numbers": 99, "auc": 0.97, "between_over_within": 3.2}}
    results |= {"tasks": {"landmarks": whole["tasks"][INDIVIDUAL]}, "registered": [], "telling_apart": apart}
    shown = page(results, tmp_path, draw(tmp_path, results, {}))
    assert "Table 1" not in shown
    assert "<h2>landmarks</h2>" in shown
    assert "<td>landmarks</td><td>99</td><td>0.970</td><td>3.20</td>" in shown

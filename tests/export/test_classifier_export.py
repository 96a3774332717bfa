"""A classifier as a graph: the same probabilities, the same meaning, nothing else taken for one."""

import numpy as np
import onnx
import pytest
import torch
from numpy.testing import assert_allclose

from models.classifiers.serving import classify_sets
from models.classifiers.source import Source
from models.classifiers.stored import ClassifierShape, load_classifier, new_classifier, save_classifier
from models.classifiers.table import CoefficientTable
from models.classifiers.whitening import fit_whitener
from models.errors import ArtefactError, ConfigurationError
from models.export.classifier import INPUT, classifier_parity, export_classifier, read_shape
from models.export.onnx import load_session

SOURCE = Source("builtin-1/id10/exp6", "rnet 0123", "4567")
TASKS = {"expression": ("happy", "sad", "wry"), "gender": ("f", "m")}
SHAPE = ClassifierShape(32, 0.5, 16, TASKS, ("identity", "expression"), True, SOURCE)


def numbers(seed=0, photos=6):
    return np.random.default_rng(seed).normal(2, 3, (photos, 16)).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    made = new_classifier(SHAPE, fit_whitener(numbers(photos=60), np.arange(60) % 3), seed=1)
    made.heads.get_buffer("temperatures").copy_(torch.tensor([1.7, 0.6]))
    return made.eval()


@pytest.fixture(scope="module")
def proto(network):
    return export_classifier(network, SHAPE)


def test_the_graph_tells_what_the_network_tells(network, proto):
    real = np.random.default_rng(1).normal(size=(3, SHAPE.size)).astype(np.float32)
    found = classifier_parity(proto, network, SHAPE, real)
    assert set(found) == {f"{kind}_{count}" for kind in ("random", "real") for count in (1, 5, 16)}
    assert max(found.values()) < 1e-5
    session = load_session(proto.SerializeToString())
    found = session.run(["gender"], {INPUT: numbers(5)})[0]
    logits = network(torch.from_numpy(numbers(5)))[1].detach().numpy() / 0.6
    assert_allclose(found, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), rtol=1e-3)


def test_its_shape_travels_in_the_graph_and_in_a_folder(network, proto, tmp_path):
    session = load_session(proto.SerializeToString())
    assert read_shape(session.get_modelmeta().custom_metadata_map, "here") == SHAPE
    save_classifier(tmp_path, network, SHAPE)
    again, shape = load_classifier(tmp_path)
    assert shape == SHAPE
    for ours, theirs in zip(again(torch.from_numpy(numbers())), network(torch.from_numpy(numbers())), strict=True):
        assert torch.equal(ours, theirs)


def test_another_graph_and_another_folder_are_no_classifier(tmp_path):
    with pytest.raises(ArtefactError, match="not the shape of a classifier"):
        read_shape({"trinormal.classifier": "{}"}, "here")
    with pytest.raises(ArtefactError, match="not a classifier"):
        read_shape({}, "here")
    with pytest.raises(ArtefactError, match="holds no trained classifier"):
        load_classifier(tmp_path)


def test_photos_get_the_names_of_the_answers_and_other_sources_are_refused(proto):
    session = load_session(proto.SerializeToString())
    values = numbers(7)
    parts = {"identity": values[:, :10].copy(), "expression": values[:, 10:].copy()}
    table = CoefficientTable(SOURCE, tuple("abcdef"), parts, np.ones((6, 10), np.float32))

    def graph(given, task):
        return np.asarray(session.run([task], {INPUT: given})[0])

    sets = [("a", "b"), ("lost",), ("c",)]
    told = classify_sets(graph, SHAPE, table, sets, "expression")
    assert [each.photos for each in told] == [("a", "b"), ("c",)]
    assert list(told[0].probabilities) == ["happy", "sad", "wry"]
    assert_allclose(list(told[1].probabilities.values()), graph(values[2:3], "expression")[0], rtol=1e-5)
    assert classify_sets(graph, SHAPE, table, [("lost",)], "gender") == []
    for other in (SOURCE._replace(space="other"), SOURCE._replace(reconstructor="rnet 0124")):
        foreign = CoefficientTable(other, table.paths, table.parts, table.confidence)
        with pytest.raises(ConfigurationError, match="reconstruct the photos with the version"):
            classify_sets(graph, SHAPE, foreign, sets, "expression")
    with pytest.raises(ConfigurationError, match="no answers to 'age'"):
        classify_sets(graph, SHAPE, table, sets, "age")


def test_the_registry_takes_the_graph(proto):
    onnx.checker.check_model(proto)
    names = {entry.key for entry in proto.metadata_props}
    assert {"trinormal.labels", "trinormal.space", "trinormal.reconstructor", "trinormal.cnet"} <= names

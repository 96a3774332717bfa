"""The lineage drawn together by stage."""

import pytest

from infra.database import migrate, open_engine
from registry.lineage import record_artefact
from registry.stage_graph import Stage, stage_graph


def named(letter: str) -> str:
    return letter * 64


@pytest.fixture
def engine(tmp_path):
    made = open_engine(f"sqlite:///{tmp_path / 'db'}")
    migrate(made)
    yield made
    made.dispose()


def test_artefacts_of_one_stage_are_one_box_and_edges_run_between_stages(engine):
    record_artefact(engine, named("1"), "photos", named("a"), [])
    record_artefact(engine, named("2"), "crops", named("b"), [named("a")])
    record_artefact(engine, named("3"), "crops", named("c"), [named("a")])
    record_artefact(engine, named("4"), "normals", named("d"), [named("b"), named("c")])
    record_artefact(engine, named("5"), "model", named("e"), [named("d"), named("a"), named("f")])
    graph = stage_graph(engine, named("5"))
    assert graph.stages == (
        Stage("model", "artefact", 1, 0),
        Stage("normals", "artefact", 1, 1),
        Stage("unknown", "unknown", 1, 1),
        Stage("crops", "artefact", 2, 2),
        Stage("photos", "artefact", 1, 3),  # the longest way, not the direct one
    )
    assert set(graph.edges) == {
        ("photos", "crops"),
        ("crops", "normals"),
        ("normals", "model"),
        ("photos", "model"),
        ("unknown", "model"),
    }


def test_a_stage_made_from_itself_has_no_edge_to_itself(engine):
    record_artefact(engine, named("1"), "sphere20", named("a"), [])
    record_artefact(engine, named("2"), "sphere20", named("b"), [named("a")])
    graph = stage_graph(engine, named("2"))
    assert graph.stages == (Stage("sphere20", "artefact", 2, 0),)
    assert graph.edges == ()


def test_many_artefacts_are_asked_for_in_parts(engine):
    shards = [f"{number:064d}" for number in range(1, 520)]
    for key in shards:
        record_artefact(engine, key, "shards", key, [])
    record_artefact(engine, named("e"), "model", named("f"), shards)
    graph = stage_graph(engine, named("e"))
    assert [(stage.name, stage.artefacts) for stage in graph.stages] == [("model", 1), ("shards", 519)]
    assert graph.edges == (("shards", "model"),)

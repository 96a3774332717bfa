import pytest
from sqlalchemy import Engine

from registry.catalogue import ManifestRow, add_snapshot
from registry.errors import RegistryError
from registry.lineage import ancestors, descendants, is_complete, record_artefact, record_block


def name(letter: str) -> str:
    return letter * 64


@pytest.fixture
def photos(engine: Engine) -> str:
    """photos -> a crops (content b) -> c normals (content d) -> e model, which also takes the photos; f elsewhere."""
    rows = [ManifestRow("a.jpg", name("1"), "p1", "train", 10)]
    snapshot = add_snapshot(engine, rows, name="photos", kind="photo", licence="MIT", source="x")
    record_artefact(engine, name("a"), "crops", name("b"), [snapshot.id])
    record_artefact(engine, name("c"), "normals", name("d"), [name("b")])
    record_artefact(engine, name("e"), "model", name("0"), [name("d"), snapshot.id])
    record_artefact(engine, name("f"), "other", name("9"), [name("8")])
    return snapshot.id


def test_a_model_is_traced_to_its_photos_through_keys_and_content_hashes(engine: Engine, photos: str):
    nodes = ancestors(engine, name("e"))
    assert {(node.hash, node.stage, node.depth) for node in nodes} == {
        (name("e"), "model", 0),
        (name("c"), "normals", 1),
        (photos, "", 1),
        (name("a"), "crops", 2),
    }
    assert is_complete(nodes)


def test_an_input_that_nothing_accounts_for_leaves_the_lineage_incomplete(engine: Engine, photos: str):
    nodes = ancestors(engine, name("f"))
    assert [node.kind for node in nodes] == ["artefact", "unknown"]
    assert not is_complete(nodes)
    assert not is_complete(())


def test_everything_made_from_the_photos_is_found_for_an_erasure(engine: Engine, photos: str):
    assert descendants(engine, photos)[0].hash == photos
    assert {node.hash for node in descendants(engine, photos)} == {photos, name("a"), name("c"), name("e")}


def test_noting_an_artefact_again_is_a_no_op_and_with_other_inputs_an_error(engine: Engine, photos: str):
    record_artefact(engine, name("c"), "normals", name("d"), [name("b")])
    with pytest.raises(RegistryError, match="other inputs"):
        record_artefact(engine, name("c"), "normals", name("d"), [photos])


def test_a_block_of_rows_leads_to_every_snapshot_that_holds_it(engine: Engine, photos: str):
    rows = [ManifestRow("b.jpg", name("2"), "p2", "train", 10)]
    other = add_snapshot(engine, rows, name="more", kind="photo", licence="MIT", source="x")
    for snapshot in (photos, other.id, photos):
        record_block(engine, name("7"), snapshot)
    record_artefact(engine, name("6"), "shard", name("5"), [name("7")])
    nodes = ancestors(engine, name("6"))
    assert {node.hash for node in nodes} == {name("6"), name("7"), photos, other.id}
    assert is_complete(nodes)
    assert name("6") in {node.hash for node in descendants(engine, other.id)}

"""Licences travel along the lineage: from snapshots and from stages that began from nothing."""

from sqlalchemy import Engine

from registry.catalogue import ManifestRow, Snapshot, add_snapshot
from registry.licences import licences_behind
from registry.lineage import record_artefact, record_block

WORLD = {"photo-shards": "CC0-1.0"}


def name(letter: str) -> str:
    return letter * 64


def listed(engine: Engine, licence: str) -> Snapshot:
    rows = [ManifestRow("a.jpg", name("1"), "p1", "train", 10)]
    return add_snapshot(engine, rows, name="orl", kind="photo", licence=licence, source="x")


def made(engine: Engine, key: str, stage: str, *inputs: str) -> None:
    record_artefact(engine, name(key), stage, name(key), inputs)


def model_on(engine: Engine, *snapshots: Snapshot) -> str:
    """Crops of a block of rows, a reconstructor from the face world, and a model from both."""
    for snapshot in snapshots:
        record_block(engine, name("b"), snapshot.id)
    made(engine, "2", "crops", name("b"))
    made(engine, "3", "photo-shards")
    made(engine, "4", "expnet", name("3"))
    made(engine, "5", "onnx", name("2"), name("4"))
    return name("5")


def test_a_model_has_the_licences_of_its_photos_and_of_what_its_reconstructor_learnt_from(engine: Engine):
    photos = listed(engine, "LicenseRef-VGGFace2")
    found = licences_behind(engine, model_on(engine, photos), [photos.id], WORLD)
    assert found == {f"orl ({photos.id[:8]})": "LicenseRef-VGGFace2", "photo-shards": "CC0-1.0"}


def test_what_nobody_vouches_for_is_unknown(engine: Engine):
    photos = listed(engine, "MIT")
    key = model_on(engine, photos)
    assert licences_behind(engine, key, [photos.id], {})["photo-shards"] == "unknown"
    made(engine, "6", "onnx", name("5"), name("9"))
    assert licences_behind(engine, name("6"), [photos.id], WORLD)["input 99999999"] == "unknown"


def test_of_two_lists_of_the_same_photos_the_one_that_was_asked_for_counts(engine: Engine):
    first, mended = listed(engine, "unknown"), listed(engine, "MIT")
    key = model_on(engine, first, mended)
    assert set(licences_behind(engine, key, [mended.id], WORLD).values()) == {"MIT", "CC0-1.0"}
    assert set(licences_behind(engine, key, [first.id], WORLD).values()) == {"unknown", "CC0-1.0"}
    assert set(licences_behind(engine, key, [], WORLD).values()) == {"unknown", "MIT", "CC0-1.0"}

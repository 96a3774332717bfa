"""Enrol, identify, verify, forget: against the champion's own embeddings, in a home of its own."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from numpy.testing import assert_allclose, assert_array_equal
from prefect import Task
from sqlalchemy import Engine
from typer.testing import CliRunner

from flows import gallery_commands
from flows import promote as flow
from flows.parameters import RollbackRequest
from models.errors import AssetMissing, DataError
from models.export.embedding import embed_normals
from models.export.onnx import load_session
from models.metrics.identification import fused_distances
from models.photos.analysis import FaceNets
from registry import ledger
from registry.candidates import Candidate
from registry.errors import RegistryError
from registry.gallery import Version
from registry.gates import Decision
from registry.packaging import find_version
from registry.promotion import Judged
from tasks import acquire, confirmation, gallery, gallery_renewal
from tasks.acquire import list_inputs
from tasks.build_normals import build_scan_normals
from tasks.face_samples import NAMELESS, pack, read_sample, unpack
from tasks.gallery_desk import Outcome, open_desk
from tasks.gallery_templates import load_enrolled
from tasks.wiring import Workspace
from tests.photos.conftest import face_nets
from tests.tasks.homes import new_home
from tests.tasks.served import DEVELOPMENT, TINY, crown, offer, scan_people, use

__all__ = ["face_nets"]
NAMES = ["Anna Perez-Quintero", "Bert Oyelaran", "Carla Nakamura"]
MODEL = "faces"


@pytest.fixture(scope="module")
def first_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A champion, and nobody enrolled."""
    with new_home(tmp_path_factory.mktemp("gallery") / "home") as workspace:
        crown(workspace, MODEL, details=DEVELOPMENT)
        yield workspace


@pytest.fixture
def home(first_home: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    use(first_home, monkeypatch)
    yield first_home
    for person in gallery.enrolled_people():
        gallery.forget(person.name)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scans of each; the first will be enrolled."""
    root = tmp_path_factory.mktemp("people")
    scan_people(root, NAMES)
    return root


@pytest.fixture(scope="module")
def firsts(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("firsts")
    for name in NAMES:
        (root / name).mkdir()
        shutil.copy(people / name / "0.obj", root / name)
    return root


def plain_embeddings(paths: list[Path], tmp_path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By the way that evaluation goes: shards of normal images, then the graph."""
    champion, normals = open_desk(MODEL).embedder.champion, TINY.normals
    grid = [normals.pixels, normals.pixels, normals.mm_per_pixel]
    cleaning = normals.cleaning.model_dump()
    build_scan_normals(tmp_path, grid, normals.crop_radius_mm, cleaning, Path("/"), [str(path)[1:] for path in paths])
    return embed_normals(load_session(champion.graph), np.load(tmp_path / "normals.npy"))


def test_distances_are_those_of_the_champions_embeddings(home: Workspace, people: Path, firsts: Path, tmp_path: Path):
    done = gallery.enrol(list_inputs([firsts], people=True), MODEL)
    assert [(each.name, each.new) for each in done.enrolled] == [(name, True) for name in NAMES]
    probes = [people / name / "1.obj" for name in NAMES]
    found = gallery.identify(list_inputs(probes), MODEL, most=3)
    expected = fused_distances(
        plain_embeddings([firsts / name / "0.obj" for name in NAMES], tmp_path), plain_embeddings(probes, tmp_path)
    )
    told = np.array([[{c.name: c.distance for c in each.ranked}[name] for each in found.told] for name in NAMES])
    assert_allclose(told, expected, atol=2e-3)
    assert [each.ranked[0].name for each in found.told] == [NAMES[row] for row in expected.argmin(axis=0)]


def test_failures_to_acquire_are_told_and_enrol_nobody(home: Workspace, people: Path, tmp_path: Path):
    for name in ("Dora Lindqvist", "Emil Haddad"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "broken.obj").write_text("v 0 0 0\nv 90 0 0\nv 0 90 0\nf 1 2 3\n")
    shutil.copy(people / NAMES[0] / "0.obj", tmp_path / "Emil Haddad" / "fine.obj")
    done = gallery.enrol(list_inputs([tmp_path], people=True), MODEL)
    assert sorted(Path(failure.path).name for failure in done.failures) == ["broken.obj", "broken.obj"]
    assert all("too few" in failure.reason for failure in done.failures)
    assert [each.name for each in gallery.enrolled_people()] == ["Emil Haddad"]
    probe = gallery.identify(list_inputs([tmp_path / "Dora Lindqvist" / "broken.obj"]), MODEL)
    assert (probe.told, len(probe.failures)) == ([], 1)


def test_beyond_the_models_threshold_it_is_nobody(home: Workspace, people: Path, firsts: Path):
    gallery.enrol(list_inputs([firsts], people=True), MODEL)
    itself = list_inputs([firsts / NAMES[1] / "0.obj"])
    (told,) = gallery.identify(itself, MODEL).told
    assert told.threshold is not None
    assert (told.threshold.distance, told.threshold.fmr, told.threshold.benchmark) == (0.5, 0.01, "bu3dfe")
    assert (told.decision, told.ranked[0].name) == (NAMES[1], NAMES[1])
    assert told.ranked[0].distance < 1e-3
    other = gallery.verify(itself[0], NAMES[0], MODEL, distance=1e-4).told[0]
    assert (other.decision, other.ranked[0].name) == (None, NAMES[0])
    assert gallery.verify(itself[0], NAMES[1], MODEL).told[0].decision == NAMES[1]
    with pytest.raises(RegistryError, match="nobody called"):
        gallery.verify(itself[0], "Nobody Known", MODEL)
    with pytest.raises(DataError, match="between 0 and 2"):
        gallery.identify(itself, MODEL, distance=3.0)


def test_a_new_champion_sees_everybody_as_if_enrolled_under_it(home: Workspace, firsts: Path):
    gallery.enrol(list_inputs([firsts], people=True), MODEL)
    gallery.enrol(list_inputs([firsts / NAMES[0] / "0.obj"], "Ghost Writer"), MODEL, keep=False)
    crown(home, MODEL, seed=1, details=DEVELOPMENT)
    desk = open_desk(MODEL)
    assert not load_enrolled(desk.gallery, desk.embedder).features, "old templates never meet the new version"
    outcome = desk.outcome()
    assert (outcome.renewed, outcome.not_embedded) == (4, 1)
    x, y, z = load_enrolled(desk.gallery, desk.embedder).features[1]
    fresh = desk.embedder.embed([read_sample(firsts / name / "0.obj", None) for name in NAMES])
    kept = [desk.rotations.protect(1, each) for each in fresh]
    assert_array_equal(np.stack([x, y, z], axis=1).astype("<f4").tobytes(), b"".join(kept))
    assert desk.outcome().renewed == 0
    with pytest.raises(DataError, match="enrol the person anew"):
        gallery.verify(list_inputs([firsts / NAMES[0] / "0.obj"])[0], "Ghost Writer", MODEL)


@pytest.fixture
def changes(home: Workspace, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every change of champion that the flows make: which version, and how many samples it had not seen by then."""
    seen: list[tuple[str, int]] = []

    def watched(change: Callable[..., bool]) -> Callable[..., bool]:
        def and_note(engine: Engine, model: str, *rest: Any) -> bool:
            state = ledger.champion(engine, model)
            version = rest[0] if change.__name__ == "promote" else str(state.previous)
            graph = find_version(home.tracker, model, version).sha256
            seen.append((version, len(list(open_desk(model).gallery.pending(Version(model, graph))))))
            return change(engine, model, *rest)

        return and_note

    for name in ("promote", "roll_back"):
        monkeypatch.setattr(ledger, name, watched(getattr(ledger, name)))
    monkeypatch.setattr(Task, "__call__", lambda self, *given, **named: self.fn(*given, **named))
    monkeypatch.setattr(gallery_renewal, "create_markdown_artifact", lambda *_, **__: None)
    monkeypatch.setattr(confirmation, "emit_event", lambda **_: None)
    for name in ("note_verdict", "show_verdict"):
        monkeypatch.setattr(flow, name, lambda *_: None)
    return seen


def test_everybody_is_embedded_before_another_version_serves(
    home: Workspace, people: Path, firsts: Path, changes: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
):
    gallery.enrol(list_inputs([firsts], people=True), MODEL)
    gallery.enrol(list_inputs([firsts / NAMES[0] / "0.obj"], "Ghost Writer"), MODEL, keep=False)
    before, made = ledger.champion(home.engine, MODEL), offer(home, MODEL, seed=7, details=DEVELOPMENT)
    passed = Candidate(MODEL, made.version, made.sha256, "", "p", frozenset(), {}, ())
    monkeypatch.setattr(flow, "judge", lambda *_: Judged(passed, Decision(True, ()), before))
    assert flow.compete(MODEL, made.version).promoted
    assert open_desk(MODEL).outcome() == Outcome(MODEL, made.version, renewed=0, not_embedded=1)

    gallery.enrol(list_inputs([people / NAMES[0] / "1.obj"], NAMES[0]), MODEL)
    told = flow.rollback.fn(RollbackRequest(model=MODEL, reason="worse in the field"))
    assert told["promoted"]
    assert told["gallery"] == f"1 enrolled samples embedded for {MODEL} version {before.version} before it serves"
    assert changes == [(made.version, 0), (before.version, 0)]


def test_issued_anew_a_person_is_found_as_before(home: Workspace, firsts: Path):
    gallery.enrol(list_inputs([firsts], people=True), MODEL)
    probe = list_inputs([firsts / NAMES[2] / "0.obj"])
    before = gallery.identify(probe, MODEL).told[0].ranked
    stolen = load_enrolled(open_desk(MODEL).gallery, open_desk(MODEL).embedder).features[1]
    assert gallery.reissue(NAMES[2]).issue == 2
    after = gallery.identify(probe, MODEL).told[0].ranked
    assert [each.name for each in after] == [each.name for each in before]
    assert_allclose([each.distance for each in after], [each.distance for each in before], atol=2e-3)
    renewed = load_enrolled(open_desk(MODEL).gallery, open_desk(MODEL).embedder).features[2]
    theirs = (stolen[0][2:3], stolen[1][2:3], stolen[2][2:3])
    assert fused_distances(theirs, renewed)[0, 0] > 0.9, "what was stolen fits no better than chance"


def test_who_is_forgotten_is_found_no_more(home: Workspace, firsts: Path):
    gallery.enrol(list_inputs([firsts], people=True), MODEL)
    assert gallery.forget(NAMES[0])
    (told,) = gallery.identify(list_inputs([firsts / NAMES[0] / "0.obj"]), MODEL).told
    assert {each.name for each in told.ranked} == set(NAMES[1:])
    for name in NAMES[1:]:
        gallery.forget(name)
    with pytest.raises(DataError, match="nobody is enrolled"):
        gallery.identify(list_inputs([firsts / NAMES[0] / "0.obj"]), MODEL)


def test_files_of_no_known_sort_and_folders_without_people_are_refused(people: Path, tmp_path: Path):
    with pytest.raises(DataError, match="neither a photo nor a scan"):
        list_inputs([tmp_path / "a.txt"])
    with pytest.raises(DataError, match="check the path"):
        list_inputs([tmp_path])
    with pytest.raises(DataError, match="sub-folder that names its person"):
        list_inputs([people / NAMES[0]], people=True)


def test_photos_are_enrolled_and_searched_by_the_champions_reconstructor(
    home: Workspace, face_nets: FaceNets, real_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(acquire, "load_face_nets", lambda _: face_nets)
    blank = tmp_path / "blank.pgm"
    blank.write_bytes(b"P5 92 112 255\n" + bytes(92 * 112))
    orl = real_data / "orl"
    done = gallery.enrol(list_inputs([orl / "s1" / "1.pgm", blank], NAMES[0]), MODEL)
    assert [Path(each.path).name for each in done.enrolled] == ["1.pgm"]
    assert [Path(each.path).name for each in done.failures] == ["blank.pgm"]
    gallery.enrol(list_inputs([orl / "s2" / "1.pgm"], NAMES[1]), MODEL)
    (told,) = gallery.identify(list_inputs([orl / "s1" / "1.pgm"]), MODEL).told
    assert (told.ranked[0].name, told.threshold) == (NAMES[0], None), "no development set has photos"
    assert told.ranked[0].distance < 1e-3


def test_a_kept_photo_is_the_face_alone_and_gives_the_same_embedding(
    home: Workspace, face_nets: FaceNets, real_data: Path
):
    sample = read_sample(real_data / "orl" / "s3" / "1.pgm", face_nets)
    again = unpack(pack(sample))
    assert pack(again) == pack(sample)
    assert getattr(again, "path", "") == NAMELESS
    first, second = open_desk(MODEL).embedder.embed([sample, again])
    assert_array_equal(first, second)


def test_without_the_champions_reconstructor_photos_are_refused_in_one_line_and_enrolled_ones_wait(
    home: Workspace, face_nets: FaceNets, real_data: Path, firsts: Path
):
    gallery.enrol(list_inputs([firsts / NAMES[1] / "0.obj"], NAMES[1]), MODEL)
    home.store.root.rename(home.home / "elsewhere")
    try:
        sample = read_sample(real_data / "orl" / "s3" / "1.pgm", face_nets)
        with pytest.raises(AssetMissing, match="not in this home folder"):
            open_desk(MODEL).embedder.embed([sample])
        open_desk(MODEL).gallery.add(NAMES[0], "photo", pack(sample))
        outcome = gallery.identify(list_inputs([firsts / NAMES[1] / "0.obj"]), MODEL)
        assert (outcome.renewed, outcome.waiting, outcome.told[0].ranked[0].name) == (0, 1, NAMES[1])
    finally:
        (home.home / "elsewhere").rename(home.store.root)
    assert (open_desk(MODEL).outcome().renewed, open_desk(MODEL).outcome().waiting) == (1, 0)


def test_the_commands_speak_json_and_exit_codes(home: Workspace, people: Path, firsts: Path):
    app = typer.Typer()
    gallery_commands.join(app)
    scan, probe = str(firsts / NAMES[0] / "0.obj"), str(people / NAMES[0] / "1.obj")

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, list(words), catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.stdout

    run("enrol", scan, "--as", NAMES[0], "--model", MODEL)
    told = json.loads(run("identify", probe, "--model", MODEL, "--threshold", "2", "--json"))
    assert told["model"] == MODEL
    assert told["told"][0]["decision"] == NAMES[0]
    assert told["told"][0]["ranked"][0]["name"] == NAMES[0]
    assert told["failures"] == []
    run("verify", scan, "--as", NAMES[0], "--model", MODEL)
    run("verify", probe, "--as", NAMES[0], "--model", MODEL, "--threshold", "0.000001", code=1)
    assert json.loads(run("gallery", "--json"))[0]["name"] == NAMES[0]
    assert "keys destroyed: 1" in run("forget", NAMES[0], "--gallery-only")
    assert "nobody" in run("forget", NAMES[0], "--gallery-only")

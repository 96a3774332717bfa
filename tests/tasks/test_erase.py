"""A person is erased: a byte scan of the whole home finds nothing of them, and everybody else is as before."""

import gzip
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from infra.database import reading
from models.errors import DataError
from registry.catalogue import list_snapshots, load_rows, verify_snapshot
from registry.erasure import erasures
from registry.lineage import ancestors
from registry.tables import SnapshotRecord
from tasks import erase, evaluate_scans, gallery, normals
from tasks.acquire import list_inputs
from tasks.erase import erase_person
from tasks.erasure_steps import STEPS
from tasks.evaluate_scans import identify, report_evaluation, scans_to_search
from tasks.files import write_json
from tasks.gallery_desk import open_desk
from tasks.gallery_templates import load_enrolled
from tasks.normals import encode_scans
from tasks.stages import make
from tasks.wiring import Workspace
from tests.tasks.homes import new_home
from tests.tasks.plain_snapshots import take_in
from tests.tasks.served import crown, scan_people, use

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # one home for all: made once, and not in a moment

NAMES = ["anna-perez-quintero", "bert-oyelaran", "carla-nakamura", "dora-lindqvist", "emil-haddad", "fola-adeyemi"]
NAMES += ["gita-raghunathan", "henk-van-der-velde"]
STRANGER, MODEL = NAMES[-1], "faces"


class Traces(NamedTuple):
    """What must not be found again: words, and pieces of the person's scans, normal images and embeddings."""

    words: list[bytes]
    pieces: list[bytes]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A home with snapshots, normal images, evaluations, a gallery, models trained on everybody, logs and databases."""
    root = tmp_path_factory.mktemp("erase")
    with new_home(root / "home") as workspace, pytest.MonkeyPatch.context() as patch:
        take_in(workspace, patch)
        use(workspace, patch)
        for module in (erase, evaluate_scans, normals):
            patch.setattr(module, "open_workspace", lambda: workspace)
        patch.setattr(evaluate_scans, "create_markdown_artifact", lambda *_, **__: None)
        fill(workspace, root)
        yield workspace


def fill(workspace: Workspace, root: Path) -> None:
    scan_people(workspace.home / "data", NAMES[:-1])
    scan_people(root / "elsewhere", [STRANGER, "irma-koskinen"])
    crown(workspace, MODEL)
    for folder in (workspace.home / "data", root / "elsewhere"):
        wanted = scans_to_search(folder, None, "first")
        champion = open_desk(MODEL).embedder.champion
        scans = encode_scans.fn(wanted.root, wanted.records, champion.normals)
        report_evaluation.fn(champion, wanted, scans, identify.fn(champion, scans, wanted))
        network = make(
            workspace, "sphere20", [*scans.shards, wanted.snapshot.id], {}, ["models.networks.sphere20"], untrained
        )
        crown(workspace, f"{MODEL}-{folder.name}", networks=[network])
        gallery.enrol(list_inputs([folder], people=True), MODEL)
    paths = [f"{name}/0.obj" for name in (*NAMES, "irma-koskinen")]
    logs = workspace.home / "logs"
    logs.mkdir()
    (logs / "prefect.log").write_text("".join(f"reading {path}\n" for path in paths))
    write_json(workspace.home / "mine" / "results.json", {"worst": paths})
    (workspace.home / "mine" / "worst.png").write_bytes(b"picture")
    (workspace.home / "data" / "labels.csv").write_text("path,session\n" + "".join(f"{path},1\n" for path in paths[:7]))
    (workspace.home / "prefect").mkdir()
    with sqlite3.connect(workspace.home / "prefect" / "prefect.db") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE log (message TEXT)")
        database.executemany("INSERT INTO log VALUES (?)", [(f'{{"photo": "{path}"}}',) for path in paths])


def untrained(folder: Path, _: Path) -> None:
    (folder / "weights.safetensors").write_bytes(b"what a network has learnt")


def traces_of(workspace: Workspace, name: str) -> Traces:
    """Read off the disk and out of the gallery before the person is erased."""
    words, pieces = [name.encode()], list[bytes]()
    for path in sorted(Path(workspace.home.parent).rglob(f"{name}/*.obj")):
        raw = path.read_bytes()
        words.append(hashlib.sha256(raw).hexdigest().encode())
        shape = raw[: raw.index(b"\nf ")]  # the triangles are everybody's
        pieces += [shape[place : place + 64] for place in range(1000, len(shape) - 64, len(shape) // 5)]
    for rows in workspace.settings.store.glob("scan-normals/*/*/rows.csv"):
        images = np.load(rows.parent / "normals.npy")
        for line, image in zip(rows.read_text().splitlines()[1:], images, strict=True):
            if line.startswith(name):
                pieces += [image[axis, image.shape[1] // 2].tobytes() for axis in range(3)]
    desk = open_desk(MODEL)
    enrolled = load_enrolled(desk.gallery, desk.embedder)
    (own,) = np.flatnonzero(enrolled.owners == desk.gallery.require(name).number)[:1]
    pieces += [features[own].astype("<f4").tobytes() for features in enrolled.features[1]]
    return Traces(words, pieces)


def byte_scan(home: Path, traces: Traces) -> list[str]:
    """An own scan, apart from the product's: raw bytes, unpacked ones, Parquet as text, names of files."""
    found: list[str] = []
    for path in sorted(home.rglob("*")):
        texts = [str(path.relative_to(home)).encode()]
        if path.is_file():
            raw = path.read_bytes()
            texts.append(raw)
            if raw[:2] == b"\x1f\x8b":
                texts.append(gzip.decompress(raw))
            if raw[:4] == b"PAR1":
                texts.append(pq.read_table(path).to_pandas().to_string().encode())
            with suppress(zlib.error):
                texts.append(zlib.decompressobj().decompress(raw))
        if any(piece in text for text in texts for piece in (*traces.words, *traces.pieces)):
            found.append(str(path.relative_to(home)))
    return found


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def others(workspace: Workspace, name: str) -> dict[str, Any]:
    """All that belongs to other people: files, rows, templates, and artefacts of the other data set."""
    desk = open_desk(MODEL)
    names = {person.number: person.name for person in desk.gallery.people()}
    enrolled = load_enrolled(desk.gallery, desk.embedder)
    templates = [
        (names[owner], b"".join(axis[row].tobytes() for axis in enrolled.features[1]))
        for row, owner in enumerate(enrolled.owners.tolist())
        if names[owner] != name
    ]
    rows = {
        row.path: row.sha256
        for snapshot in list_snapshots(workspace.engine)
        for row in load_rows(workspace.engine, snapshot.id)
        if row.subject != name
    }
    files = {path: digest for path, digest in hashes(workspace.home / "data").items() if path.endswith(".obj")}
    return {"templates": templates, "rows": rows, "files": {p: d for p, d in files.items() if not p.startswith(name)}}


def test_a_dry_run_tells_and_changes_nothing(home: Workspace):
    watched = ("data", "store", "mine", "logs", "keys", "mlflow/artifacts")
    before = {part: hashes(home.home / part) for part in watched}
    told = erase_person(NAMES[0], dry_run=True)
    assert told["counts"]["files"] == 2
    assert told["counts"]["keys_destroyed"] == told["counts"]["snapshots_listed_anew"] == 1
    assert told["counts"]["artefacts"] >= 3
    assert [(each["model"], each["serves"]) for each in told["models"]] == [(f"{MODEL}-data", True)]
    assert {part: hashes(home.home / part) for part in watched} == before
    assert erasures(home.engine) == []


def test_nothing_of_an_erased_person_is_found_and_others_are_as_before(home: Workspace):
    name = NAMES[0]
    traces, before = traces_of(home, name), others(home, name)
    assert len(byte_scan(home.home, traces)) > 8, "the scan finds what is there"
    told = erase_person(name)
    assert byte_scan(home.home, traces) == []
    assert others(home, name) == before
    assert told["counts"]["files"] == 2
    assert told["models"] == [{"model": f"{MODEL}-data", "version": "1", "serves": True}]
    (record,) = erasures(home.engine)
    assert record.id == told["erasure"]
    assert record.told["models"] == told["models"]
    assert record.begun <= record.finished
    for snapshot in list_snapshots(home.engine):
        verify_snapshot(home.engine, snapshot.id)


def test_what_others_derived_stays_and_the_lineage_of_models_is_still_told(home: Workspace):
    kept = [path.read_text() for path in home.settings.store.glob("scan-normals/*/*/rows.csv")]
    assert ["irma-koskinen" in text for text in kept] == [True]
    assert (home.home / "logs" / "prefect.log").read_text().count("reading") == len(NAMES) + 1
    assert (home.home / "data" / "labels.csv").read_text().count(",1\n") == len(NAMES) - 2
    (network,) = [each for each in home.settings.store.glob("sphere20/*/*") if snapshot_of(home, each.name).rows == 0]
    assert network.is_dir(), "networks are told, not removed"


def snapshot_of(home: Workspace, network: str) -> SnapshotRecord:
    """What a network says it was trained on, as the catalogue knows it."""
    (known,) = [node.hash for node in ancestors(home.engine, network) if node.kind == "snapshot"]
    with reading(home.engine) as session:
        return session.scalars(select(SnapshotRecord).where(SnapshotRecord.id == known)).one()


@pytest.mark.parametrize("step", range(len(STEPS)), ids=[step.__name__ for step in STEPS])
def test_killed_after_any_step_the_same_command_ends_it(home: Workspace, monkeypatch: pytest.MonkeyPatch, step: int):
    class Killed(BaseException):
        pass

    def stop(*_: object) -> None:
        raise Killed

    name = NAMES[1 + step % 5] if step < 5 else NAMES[6]
    traces, before = traces_of(home, name), others(home, name)
    with monkeypatch.context() as patch:
        patch.setattr(erase, "STEPS", (*STEPS[: step + 1], stop))
        with pytest.raises(Killed):
            erase_person(name)
    assert list(home.settings.erasures.glob("*.sealed"))
    told = erase_person(name)
    assert byte_scan(home.home, traces) == []
    assert others(home, name) == before
    assert [each["model"] for each in told["models"]] == [f"{MODEL}-data"], "what was seen before the kill is not lost"
    assert not list(home.settings.erasures.glob("*"))


def test_again_there_is_nobody_and_nothing_is_done(home: Workspace):
    before = len(erasures(home.engine))
    for name in (NAMES[0], "champion"):
        told = erase_person(name)
        assert (told["done"], told["counts"], told["models"]) == (False, {}, [])
    assert len(erasures(home.engine)) == before


def test_files_elsewhere_are_listed_and_only_deleted_when_asked(home: Workspace):
    folder = home.home.parent / "elsewhere" / STRANGER
    told = erase_person(STRANGER)
    assert told["files_outside"] == [str(folder / "0.obj"), str(folder / "1.obj")]
    assert len(list(folder.iterdir())) == 2
    scans_to_search(folder.parent, None, "first")  # taken in again of one's own free will
    told = erase_person(STRANGER, outside=True)
    assert (told["files_outside"], told["counts"]["files_outside"]) == ([], 2)
    assert list(folder.iterdir()) == []


def test_a_name_in_two_data_sets_has_to_be_told_apart(home: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "tasks.erasure_plan.rows_of",
        lambda *_: iter([(each, None) for each in (Known("frgc"), Known("bosphorus"))]),
    )
    with pytest.raises(DataError, match="somebody in each of bosphorus, frgc"):
        erase_person("irma-koskinen")
    with pytest.raises(DataError, match="nobody in data set 'kdef'"):
        erase_person("irma-koskinen", "kdef")


class Known(NamedTuple):
    data_set: str


def test_the_record_names_nobody(home: Workspace):
    told = json.dumps([each.told for each in erasures(home.engine)])
    assert not [name for name in NAMES if name in told]

"""What `data show` tells of a snapshot, held against the files it was made from."""

import json
from pathlib import Path

import pytest

from models.errors import DataLeak
from models.protocols.published import PAPER_A
from models.readers.bu4dfe import write_bu4dfe
from models.readers.frgc import write_frgc
from models.readers.records import PhotoRecord, ScanRecord
from models.readers.vggface2_writer import write_photo
from registry.catalogue import ManifestRow, Snapshot, add_snapshot
from registry.errors import RegistryError
from tasks import leakage, snapshot
from tasks.build_checks import Fact
from tasks.judges import judge
from tasks.leakage import people_of, require_apart
from tasks.manifest_rows import manifest_row, record_of
from tasks.overview import changes, overview, pick_snapshot
from tasks.snapshot import take_snapshot
from tasks.sources import open_source
from tasks.wiring import Workspace
from tests.readers.range_images import relief
from tests.tasks.data_folders import BROKEN, bowl, kdef_folder, photo_folder, picture


@pytest.fixture
def home(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    for module in (snapshot, leakage):
        monkeypatch.setattr(module, "open_workspace", lambda: workspace)
    for task in ("check_files", "write_snapshot"):
        monkeypatch.setattr(snapshot, task, getattr(snapshot, task).fn)
    return workspace


def taken(data_set: str, root: Path, name: str = "faces", **more) -> Snapshot:
    return take_snapshot(open_source(data_set, root), name, "CC0-1.0", **more)


def shown(home: Workspace, of: Snapshot):
    seen = overview(home.engine, of)
    assert json.loads(json.dumps(seen.as_data(), allow_nan=False)) == seen.as_data()
    return seen


RECORDS = [
    PhotoRecord("a/1.jpg", "a", "f", ((1.0, 2.0), (3.0, 2.0), (2.0, 3.0), (1.0, 4.0), (3.0, 4.0)), labels={"x": "y"}),
    PhotoRecord("1.jpg", None, labels={"expression": "happy", "intensity": "2"}),
    ScanRecord("a/1.obj", "a", "m", "happy", 3, {"session": "1"}),
    ScanRecord("1.obj", None),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.path)
def test_what_an_index_says_of_a_file_comes_back_out_of_a_manifest(record: PhotoRecord | ScanRecord):
    row = manifest_row(record, Fact(record.path, "a" * 64, 10), "train")
    assert record_of(row, "photo" if isinstance(record, PhotoRecord) else "scan") == record


def test_a_folder_is_shown_with_its_people_its_labels_and_what_was_set_aside(home: Workspace, tmp_path: Path):
    root = photo_folder(tmp_path / "photos")
    (root / "p1" / "torn.jpg").write_bytes(BROKEN)
    (root / "labels.csv").write_text("path,expression,gender\np0/0.png,happy,f\n")
    seen = shown(home, taken("folder", root))
    assert (seen.totals.files, seen.totals.usable, seen.totals.people) == (7, 6, 2)
    assert seen.counts["subject"] == {"p0": 3, "p1": 4}
    assert seen.counts["expression"] == {"happy": 1, None: 6}
    assert seen.counts["licence"] == {"CC0-1.0": 7}
    assert [failure.path for failure in seen.failures] == ["p1/torn.jpg"]
    assert seen.as_data()["published"] is None
    assert seen.leaks.counts == {}


def test_kdef_is_held_against_the_published_set_without_its_black_photo(home: Workspace, tmp_path: Path):
    seen = shown(home, taken("kdef", kdef_folder(tmp_path / "kdef")))
    assert len(seen.standing.missing) == 4900 - 4
    assert "BF01 happy S" in seen.standing.missing
    assert "AF01 neutral S" not in seen.standing.missing
    individual, by_image, by_subject = seen.standing.sizes
    assert "10 are needed" in individual.problem
    assert sum(by_image.sides.values()) == 4
    assert by_subject.name == "kdef expression by subject"


def test_frgc_is_shown_with_its_gallery_and_probes(home: Workspace, tmp_path: Path):
    for who, numbers in (("02463", (1, 2, 3)), ("04201", (4, 5))):
        for number in numbers:
            write_frgc(tmp_path, "Fall2003", who, number, relief(away_mm=1300.0))
    write_frgc(tmp_path, "Spring2003", "02463", 9, relief(away_mm=1300.0))
    (sizes,) = shown(home, taken("frgc", tmp_path)).standing.sizes
    assert sizes.sides == {"gallery": 2, "probes": 3}
    assert sizes.published == PAPER_A["frgc"]._asdict()
    assert sum(sizes.excluded.values()) == 1


def test_the_papers_own_protocol_on_bu4dfe_enrols_frames_of_sequences_it_searches(home: Workspace, tmp_path: Path):
    for place, folder in enumerate(("Angry", "Happy")):
        for frame in range(5):
            write_bu4dfe(tmp_path, "F001", folder, frame, bowl(frame + 5 * place))
    seen = shown(home, taken("bu4dfe", tmp_path))
    assert seen.standing.sizes[0].sides == {"gallery": 1, "probes": 9}
    assert seen.leaks.counts == {"gallery and probe from one recording": 4}
    assert {leak.path.split("/")[1] for leak in seen.leaks.first} == {"Angry"}


def test_vggface2_says_whether_it_could_look_for_people_of_vggface1(home: Workspace, tmp_path: Path):
    for split, who in (("train", 2), ("train", 3), ("test", 1)):
        path = tmp_path / write_photo(tmp_path, split, who, 1, 1, picture(who, ".jpg"))
        assert path.is_file()
    seen = shown(home, taken("vggface2", tmp_path))
    assert seen.counts["role"] == {"test": 1, "train": 2}
    assert seen.leaks.unchecked == (f"people whom VGGFace1 has too: no class_overlap_vgg1_2.txt in {tmp_path}",)
    (tmp_path / "class_overlap_vgg1_2.txt").write_text("VGGFace2 VGGFace1\nn000003 Somebody\n")
    seen = shown(home, taken("vggface2", tmp_path))
    assert (seen.leaks.counts, seen.leaks.unchecked) == ({"a person of VGGFace1": 1}, ())


def test_kdef_read_as_anyones_photos_is_found_to_show_one_person_under_two_names(home: Workspace, tmp_path: Path):
    seen = shown(home, taken("photos", kdef_folder(tmp_path / "mine")))
    assert seen.leaks.counts == {"one person under two names": 2}


def test_a_snapshot_is_picked_by_its_name_the_newest_first_or_by_its_id(home: Workspace, tmp_path: Path):
    root = photo_folder(tmp_path / "photos")
    first = taken("folder", root)
    (root / "labels.csv").write_text("path,expression\np0/0.png,happy\n")
    second = taken("folder", root)
    assert pick_snapshot(home.engine, "faces") == second
    assert pick_snapshot(home.engine, first.id[:12]) == first
    with pytest.raises(RegistryError, match="data list"):
        pick_snapshot(home.engine, "nobody")
    assert [(each.what, each.path) for each in changes(home.engine, first, second)] == [("relabelled", "p0/0.png")]


def stored(home: Workspace, name: str, data_set: str, *rows: ManifestRow) -> Snapshot:
    known = {"name": name, "kind": "photo", "licence": "MIT", "source": "x", "data_set": data_set}
    return add_snapshot(home.engine, rows, **known)


def row(path: str, letter: str, subject: str, failure: str | None = None) -> ManifestRow:
    return ManifestRow(path, letter * 64, subject, "train", 10, failure=failure)


class TestTrainingAndItsBenchmark:
    def test_a_shared_file_is_refused_in_one_line_that_names_it(self, home: Workspace):
        training = stored(home, "mine", "photos", row("a/1.jpg", "1", "a"), row("a/2.jpg", "2", "a"))
        benchmark = stored(home, "bench", "scans", row("b/9.jpg", "1", "b"))
        with pytest.raises(DataLeak) as refused:
            require_apart.fn(training, benchmark)
        said = str(refused.value)
        assert said == (
            "mine: a/1.jpg: a test file in training (the same bytes as b/9.jpg of bench): "
            "train on data that the benchmark does not hold"
        )

    def test_people_of_one_data_set_are_refused_and_namesakes_of_two_are_not(self, home: Workspace):
        training = stored(home, "mine", "bu3dfe", row("a.wrl", "1", "F0001"), row("c.wrl", "3", "F0001"))
        same = stored(home, "bench", "bu3dfe", row("b.wrl", "2", "F0001"))
        with pytest.raises(DataLeak, match=r"a test person in training") as refused:
            require_apart.fn(training, same)
        assert "and 1 more" in str(refused.value)
        for other in ("simulated bu3dfe", "frgc", "photos"):
            require_apart.fn(training, stored(home, "bench", other, row("b.wrl", "2", "F0001")))

    def test_what_was_set_aside_counts_on_neither_side(self, home: Workspace):
        training = stored(home, "mine", "photos", row("a.jpg", "1", "a", "torn"), row("b.jpg", "2", "b"))
        require_apart.fn(training, stored(home, "bench", "scans", row("a.jpg", "1", "a"), row("x", "2", "x", "torn")))

    def test_ones_own_people_are_known_by_the_name_of_the_snapshot(self, home: Workspace):
        mine = stored(home, "lab", "photos", row("a.jpg", "1", "a"))
        assert people_of(mine) == people_of(stored(home, "lab", "scans", row("a.obj", "2", "a")))
        assert people_of(mine) != people_of(stored(home, "other lab", "photos", row("a.jpg", "3", "a")))


def test_the_photo_suite_judges_a_snapshot_without_a_server_and_names_the_row(home: Workspace, tmp_path: Path):
    good = taken("folder", photo_folder(tmp_path / "good"))
    assert judge(home, good).passed
    root = photo_folder(tmp_path / "bad")
    (root / "p1" / "torn.jpg").write_bytes(BROKEN)
    verdict = judge(home, taken("folder", root))
    assert not verdict.passed
    assert "p1/torn.jpg" in verdict.reason
    assert verdict.page.read_text().startswith("<!doctype html>")

"""A snapshot lists each file with its hash or the reason it gives nothing; what was done once is not done again."""

import hashlib
from pathlib import Path

import pytest

from models.errors import DataError
from models.readers.bosphorus import write_bosphorus
from models.readers.records import PhotoRecord
from registry.catalogue import list_snapshots, load_rows
from registry.errors import RegistryError
from tasks import checks, snapshot
from tasks.build_checks import build_checks, check_file, read_facts
from tasks.checks import cut
from tasks.snapshot import check_files, write_snapshot
from tasks.sources import Source, licence_of, name_of, open_source
from tasks.wiring import Workspace
from tests.readers.range_images import relief
from tests.tasks.data_folders import BROKEN, kdef_folder, photo_folder, picture, scan_folder, wait_for_the_clock


@pytest.fixture
def home(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(snapshot, "open_workspace", lambda: workspace)
    return workspace


def add(source: Source, *, parse: bool = True, licence: str | None = None):
    return write_snapshot.fn(source, check_files.fn(source, parse), name_of(source, None), licence_of(source, licence))


def rows_of(home: Workspace, source: Source, **more):
    return {row.path: row for row in load_rows(home.engine, add(source, **more).snapshot.id)}


def test_every_file_is_listed_with_its_own_hash_size_and_person(home: Workspace, tmp_path: Path):
    root = photo_folder(tmp_path / "photos")
    rows = rows_of(home, open_source("folder", root))
    files = {str(path.relative_to(root)): path for path in root.rglob("*.png")}
    assert rows.keys() == files.keys()
    for name, path in files.items():
        row = rows[name]
        assert row.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (row.size_bytes, row.subject, row.role) == (path.stat().st_size, name.split("/")[0], "train")
        assert (row.width, row.height, row.failure) == (80, 70, None)


def test_what_cannot_be_read_is_set_aside_with_its_reason(home: Workspace, tmp_path: Path):
    root = photo_folder(tmp_path / "photos")
    (root / "p0" / "torn.jpg").write_bytes(BROKEN)
    source = open_source("photos", root)
    assert check_files.fn(source).failures == 1
    rows = rows_of(home, source)
    torn = rows.pop("p0/torn.jpg")
    assert torn.failure is not None
    assert torn.failure.startswith("p0/torn.jpg")
    assert torn.sha256 == hashlib.sha256(BROKEN).hexdigest()
    assert (torn.width, torn.height) == (None, None)
    assert {row.failure for row in rows.values()} == {None}


def test_a_folder_with_scans_is_one_of_scans_and_a_damaged_scan_is_set_aside(home: Workspace, tmp_path: Path):
    source = open_source("folder", scan_folder(tmp_path / "scans"))
    assert (source.data_set, source.kind) == ("scans", "scan")
    rows = rows_of(home, source)
    assert {path: row.failure is None for path, row in rows.items()} == {
        "anna/1.obj": True,
        "anna/2.obj": False,
        "berta/1.obj": True,
    }
    assert {row.role for row in rows.values()} == {"test"}
    fast = rows_of(home, source, parse=False)
    assert {row.failure for row in fast.values()} == {None}
    assert {path: row.sha256 for path, row in fast.items()} == {path: row.sha256 for path, row in rows.items()}


def test_a_published_data_set_brings_its_labels_its_licence_and_its_black_photos(home: Workspace, tmp_path: Path):
    source = open_source("kdef", kdef_folder(tmp_path / "kdef"))
    rows = rows_of(home, source)
    assert {row.subject for row in rows.values()} == {"F01"}
    neutral = rows["BF01/BF01NES.JPG"]
    said = {"session": "B", "expression": "neutral", "angle": "S", "yaw_deg": "0", "gender": "f"}
    assert neutral.labels == said
    assert [path for path, row in rows.items() if row.failure] == ["BF01/BF01HAS.JPG"]
    assert "black" in (rows["BF01/BF01HAS.JPG"].failure or "")
    (stored,) = list_snapshots(home.engine)
    assert (stored.licence, stored.data_set, stored.source) == ("LicenseRef-KDEF", "kdef", str(tmp_path / "kdef"))


def test_a_manifest_lists_files_below_its_own_folder_also_those_that_are_not_there(home: Workspace, tmp_path: Path):
    photo_folder(tmp_path, people=1)
    table = tmp_path / "trial.csv"
    table.write_text("path,subject,role,expression\np0/0.png,anna,probe,happy\np0/9.png,berta,,\n")
    source = open_source("manifest", table)
    rows = rows_of(home, source)
    assert (rows["p0/0.png"].subject, rows["p0/0.png"].role) == ("anna", "probe")
    assert rows["p0/0.png"].labels == {"expression": "happy"}
    assert (rows["p0/9.png"].sha256, rows["p0/9.png"].size_bytes) == ("", 0)
    assert rows["p0/9.png"].failure == "p0/9.png: no such file; check the path"
    assert [each.name for each in list_snapshots(home.engine)] == ["trial"]


def test_a_manifest_of_both_kinds_or_with_a_path_twice_is_refused(home: Workspace, tmp_path: Path):
    photo_folder(tmp_path, people=1)
    table = tmp_path / "trial.csv"
    table.write_text("path\np0/0.png\np0/1.obj\n")
    with pytest.raises(DataError, match=r"p0/1\.obj: lists photos and scans"):
        add(open_source("manifest", table))
    table.write_text("path\np0/0.png\np0/0.png\n")
    with pytest.raises(RegistryError, match="listed twice"):
        add(open_source("manifest", table))
    assert list_snapshots(home.engine) == ()


def test_a_table_of_labels_is_part_of_the_snapshot(home: Workspace, tmp_path: Path):
    root, table = photo_folder(tmp_path / "photos"), tmp_path / "labels.csv"
    table.write_text("path,role,gender\np0/1.png,gallery,f\n")
    rows = rows_of(home, open_source("folder", root, table))
    assert (rows["p0/1.png"].role, rows["p0/1.png"].labels) == ("gallery", {"gender": "f"})


class TestTheSameAgain:
    def test_nothing_is_opened_and_no_second_snapshot_is_made(
        self, home: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        source = open_source("folder", photo_folder(tmp_path / "photos"))
        first = add(source)
        monkeypatch.setattr(checks, "build_checks", _refuse)
        monkeypatch.setattr(snapshot, "add_snapshot", _refuse)
        again = add(open_source("folder", tmp_path / "photos"))
        assert (first.new, again.new) == (True, False)
        assert again.snapshot == first.snapshot
        assert len(list_snapshots(home.engine)) == 1

    @pytest.mark.usefixtures("home")
    @pytest.mark.parametrize("change", ["bytes", "same length", "added", "removed", "label"])
    def test_any_change_is_another_snapshot(self, tmp_path: Path, change: str):
        root = photo_folder(tmp_path / "photos")
        path = root / "p0" / "0.png"
        before = add(open_source("folder", root)).snapshot
        wait_for_the_clock(path)
        match change:
            case "bytes":
                path.write_bytes(picture(99))
            case "same length":
                raw = bytearray(path.read_bytes())
                raw[-20] ^= 1
                path.write_bytes(raw)
            case "added":
                (root / "p0" / "9.png").write_bytes(picture(99))
            case "removed":
                path.unlink()
            case _:
                (root / "labels.csv").write_text("path,expression\np0/0.png,happy\n")
        after = add(open_source("folder", root))
        assert after.new
        assert after.snapshot.id != before.id

    @pytest.mark.usefixtures("home")
    def test_a_changed_landmark_file_beside_a_scan_has_the_scan_read_again(self, tmp_path: Path):
        path = tmp_path / write_bosphorus(tmp_path, 0, "N", "N", 0, relief(), {"Nose tip": (1.0, 2.0, 3.0)})
        marks = path.with_suffix(".lm3")
        whole = marks.read_text()
        marks.write_text("damaged")
        source = open_source("bosphorus", tmp_path)
        assert check_files.fn(source).failures == 1
        wait_for_the_clock(marks)
        marks.write_text(whole)
        assert check_files.fn(source).failures == 0

    def test_what_was_checked_before_an_interruption_is_not_checked_again(
        self, home: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(checks, "PHOTOS_PER_BLOCK", 4)
        source = open_source("folder", photo_folder(tmp_path / "photos", people=10, photos=5))
        blocks = list(cut(source.records(), 4))
        assert len(blocks) > 4
        seen: list[str] = []

        def interrupted(folder: Path, paths: list[str], **more) -> None:
            if len(seen) == 3:
                raise KeyboardInterrupt
            seen.append(paths[0])
            build_checks(folder, paths, **more)

        monkeypatch.setattr(checks, "build_checks", interrupted)
        with pytest.raises(KeyboardInterrupt):
            add(source)
        assert list_snapshots(home.engine) == ()
        monkeypatch.setattr(
            checks,
            "build_checks",
            lambda folder, paths, **more: (seen.append(paths[0]), build_checks(folder, paths, **more)),
        )
        assert add(source).snapshot.rows == 50
        assert seen == [block[0].path for block in blocks]

    def test_files_that_come_while_it_is_read_are_told(self, home: Workspace, tmp_path: Path):
        root = photo_folder(tmp_path / "photos")
        source = open_source("folder", root)
        checked = check_files.fn(source)
        (root / "p0" / "9.png").write_bytes(picture(9))
        with pytest.raises(DataError, match="came or went"):
            write_snapshot.fn(source, checked, "x", "MIT")
        assert list_snapshots(home.engine) == ()


def test_a_block_ends_where_a_path_says_so_whatever_comes_before():
    records = [PhotoRecord(f"p/{number:05d}.jpg", None) for number in range(3000)]
    blocks = list(cut(iter(records), 64))
    assert [record for block in blocks for record in block] == records
    assert max(map(len, blocks)) <= 256
    ends = {block[-1].path for block in blocks if len(block) < 256}
    later = {block[-1].path for block in cut(iter(records[500:]), 64) if len(block) < 256}
    assert len(ends & later) > 0.8 * len(later)


def test_facts_come_back_as_they_were_found_whoever_many_threads_find_them(tmp_path: Path):
    root = photo_folder(tmp_path / "photos", people=8, photos=5)
    (root / "p0" / 'odd, "name".jpg').write_bytes(BROKEN)
    paths = [*sorted(str(path.relative_to(root)) for path in root.rglob("*.*")), "gone.jpg"]
    expected = [check_file(root, path, data_set="photos", parse=True) for path in paths]
    for threads in (1, 3):
        folder = tmp_path / str(threads)
        folder.mkdir()
        build_checks(folder, paths, "photos", True, root, threads)
        assert read_facts(folder) == expected
    assert [fact.path for fact in expected if fact.failure] == ['p0/odd, "name".jpg', "gone.jpg"]


def _refuse(*_: object, **__: object) -> None:
    raise AssertionError("this had been done")

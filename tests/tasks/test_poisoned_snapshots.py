"""Poisoned snapshots, through real files, a real catalogue and Great Expectations: each is stopped, its row named."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import text

from expectations.report import Validation
from infra.database import writing
from models.photos.decoding import encode_jpeg
from models.readers.folder import index_photos, index_scans
from models.readers.vrml import read_vrml, write_vrml
from registry.catalogue import Snapshot
from tasks import validate
from tasks.validate import validate_snapshot
from tasks.wiring import Workspace
from tests.tasks.homes import new_home
from tests.tasks.poisoned import list_photos, list_scans, refused, relisted, write_photos, write_scans

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PHOTO, SCAN = "AF01/AF01HAS.JPG", "F0001/F0001_HA01WH_F3D.wrl"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sound photos and scans, written once."""
    folder = tmp_path_factory.mktemp("written")
    write_photos(folder / "photos")
    write_scans(folder / "scans")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with new_home(tmp_path_factory.mktemp("home") / "home") as workspace, pytest.MonkeyPatch.context() as patch:
        patch.setattr(validate, "open_workspace", lambda: workspace)
        yield workspace


@pytest.fixture
def photos(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written / "photos", tmp_path / "photos"))


@pytest.fixture
def scans(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written / "scans", tmp_path / "scans"))


def look(snapshot: Snapshot, root: Path, data_set: str = "") -> Validation:
    validation = validate_snapshot(snapshot, root, data_set)
    print("\n", validation.first_failure() or f"{validation.about}: passed")  # with `-s` the lines people would see
    return validation


def test_clean_photos_and_scans_pass_every_suite_without_a_warning(home: Workspace, photos: Path, scans: Path):
    for snapshot, root in ((list_photos(home, photos), photos), (list_scans(home, scans), scans)):
        validation = look(snapshot, root, snapshot.source)
        assert validation.passed
        assert len(validation.reports) == 4
        assert [report.warnings for report in validation.reports] == [()] * 4
        assert all(report.rows == snapshot.rows for report in validation.reports)


def test_a_swapped_label_is_named_where_names_say_whose_photo_it_is(home: Workspace, photos: Path):
    swapped = relisted(home, list_photos(home, photos), {PHOTO: lambda row: replace(row, subject="M02")})
    validation = look(swapped, photos, "kdef")
    assert refused(validation) == {("photo manifest", "is who the file's name says"): (PHOTO,)}
    assert f"{PHOTO} (F01, M02)" in validation.first_failure()


def test_a_swapped_label_of_a_neutral_scan_is_named_twice(home: Workspace, scans: Path):
    neutral = "F0001/F0001_NE00WH_F3D.wrl"
    swapped = relisted(home, list_scans(home, scans), {neutral: lambda row: replace(row, subject="M0001")})
    found = refused(look(swapped, scans, "bu3dfe"))
    assert found[("scan manifest", "is who the file's name says")] == (neutral,)
    named = found[("scan manifest", "each subject has one neutral face, and who is enrolled is so with it")]
    others = {path.relative_to(scans).as_posix() for path in (scans / "F0001").glob("*.wrl")}
    assert set(named) == others | {"M0001/M0001_NE00WH_F3D.wrl"}


def test_a_label_changed_in_the_database_is_named(home: Workspace, photos: Path):
    snapshot = relisted(home, list_photos(home, photos), {PHOTO: lambda row: replace(row, labels={"own": "row"})})
    statement = "UPDATE snapshot_row SET subject = 'M02' WHERE path = :path AND labels LIKE '%own%'"
    with writing(home.engine) as session:
        assert session.execute(text(statement), {"path": PHOTO}).rowcount == 1
    validation = look(snapshot, photos)
    assert ("catalogue", "is as it was stored") in refused(validation)
    assert f"row '{PHOTO}' was changed" in validation.first_failure()


def test_a_swapped_label_cannot_be_seen_where_names_say_nothing(home: Workspace, photos: Path, tmp_path: Path):
    """The limit, stated: without telling names or a copy of the photo there is nothing to hold a label against."""
    plain = tmp_path / "plain"
    for number, path in enumerate(sorted(photos.rglob("*.JPG"))):
        (plain / f"person{number // 6}").mkdir(parents=True, exist_ok=True)
        shutil.copy(path, plain / f"person{number // 6}" / f"{number}.jpg")
    listed = list_photos(home, plain, index_photos)
    swapped = relisted(home, listed, {"person0/1.jpg": lambda row: replace(row, subject="person2")})
    assert look(swapped, plain).passed
    shutil.copy(plain / "person0/0.jpg", plain / "person2/copy.jpg")
    copied = look(list_photos(home, plain, index_photos), plain)
    named = {"person0/0.jpg", "person2/copy.jpg"}
    assert set(refused(copied)[("photo manifest", "no photo shows two people")]) == named


def test_a_changed_byte_is_named(home: Workspace, photos: Path):
    snapshot = list_photos(home, photos)
    assert look(snapshot, photos, "kdef").passed
    data = bytearray((photos / PHOTO).read_bytes())
    data[-20] ^= 1
    (photos / PHOTO).write_bytes(data)
    assert refused(look(snapshot, photos, "kdef")) == {("files on disk", "is the file that was listed"): (PHOTO,)}


def test_a_file_that_is_gone_is_named(home: Workspace, photos: Path):
    snapshot = list_photos(home, photos)
    (photos / PHOTO).unlink()
    found = refused(look(snapshot, photos, "kdef"))
    assert found == {
        ("files on disk", "is there"): (PHOTO,),
        ("files on disk", "is the file that was listed"): (PHOTO,),
    }


def test_a_subject_in_two_splits_is_named(home: Workspace, photos: Path):
    split = relisted(home, list_photos(home, photos), {PHOTO: lambda row: replace(row, role="validation")})
    found = refused(look(split, photos, "kdef"))
    owned = {path.relative_to(photos).as_posix() for path in photos.glob("?F01/*")}
    assert set(found[("photo manifest", "nobody is in two splits")]) == owned


def test_one_persons_two_sessions_on_two_sides_are_named_also_when_a_folder_gives_them_two_labels(
    home: Workspace, photos: Path
):
    """A plain folder calls them AF01 and BF01; that the names are KDEF's is recognised."""
    listed = list_photos(home, photos, index_photos)
    assert look(listed, photos).passed
    moved = {path: (lambda row: replace(row, role="validation")) for path in _of_folder(photos, "BF01")}
    found = refused(look(relisted(home, listed, moved), photos))
    assert list(found) == [("photo manifest", "no person that names say, by any session, is in two splits")]
    assert set(*found.values()) == {*_of_folder(photos, "AF01"), *_of_folder(photos, "BF01")}


def test_a_black_photo_is_named(home: Workspace, photos: Path):
    (photos / PHOTO).write_bytes(encode_jpeg(np.zeros((140, 120, 3), np.uint8), 90))
    found = refused(look(list_photos(home, photos), photos, "kdef"))
    assert found[("photos", "is not black")] == (PHOTO,)


def test_a_scan_with_a_number_that_is_none_is_named(home: Workspace, scans: Path):
    lines = (scans / SCAN).read_text().splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if "point [" in line) + 1
    lines[first] = "nan " + lines[first].split(maxsplit=1)[1]
    (scans / SCAN).write_text("".join(lines))
    validation = look(list_scans(home, scans), scans, "bu3dfe")
    assert refused(validation) == {("scans", "can be read"): (SCAN,)}


@pytest.mark.parametrize(("unit", "mm"), [("metres", 1000.0), ("inches", 25.4), ("centimetres", 10.0)])
def test_a_scan_in_another_unit_is_named_with_its_unit(home: Workspace, scans: Path, unit: str, mm: float):
    scan = read_vrml(scans / SCAN)
    smaller = replace(scan, vertices=scan.vertices / np.float32(mm))
    (scans / SCAN).write_bytes(write_vrml(smaller, "x.bmp"))
    validation = look(list_scans(home, scans), scans, "bu3dfe")
    assert refused(validation) == {("scans", "is of a face's size in mm"): (SCAN,)}
    assert f"in {unit}, read as millimetres" in validation.first_failure()


def test_a_folder_of_meshes_in_metres_is_read_right_and_only_told(home: Workspace, scans: Path, tmp_path: Path):
    """Their reader tells metres from the size; inches it takes for centimetres, which is refused."""
    root = tmp_path / "own"
    for number, (path, mm) in enumerate(zip(sorted(scans.rglob("*.wrl")), (1, 1000, 1, 1, 1, 25.4), strict=True)):
        scan = read_vrml(path)
        target = root / f"p{number}" / "scan.wrl"
        target.parent.mkdir(parents=True)
        target.write_bytes(write_vrml(replace(scan, vertices=scan.vertices / np.float32(mm)), "x.bmp"))
    validation = look(list_scans(home, root, index_scans), root)
    assert refused(validation) == {("scans", "is of a face's size in mm"): ("p5/scan.wrl",)}
    told = {finding.expectation: finding.rows for report in validation.reports for finding in report.warnings}
    assert told == {"is the millimetre": ("p1/scan.wrl", "p5/scan.wrl")}


def test_what_is_in_an_unchanged_file_is_looked_at_once_and_a_changed_one_again(home: Workspace, photos: Path):
    snapshot = list_photos(home, photos)
    look(snapshot, photos, "kdef")
    before = {made.key for made in home.store.artefacts("photo-facts")}
    look(snapshot, photos, "kdef")
    assert {made.key for made in home.store.artefacts("photo-facts")} == before
    cv2.imwrite(str(photos / PHOTO), np.full((140, 120, 3), 99, np.uint8))
    found = refused(look(list_photos(home, photos), photos, "kdef"))
    assert found[("photos", "shows more than one colour")] == (PHOTO,)
    assert len({made.key for made in home.store.artefacts("photo-facts")} - before) == 1


def _of_folder(root: Path, name: str) -> list[str]:
    return [path.relative_to(root).as_posix() for path in sorted((root / name).iterdir())]

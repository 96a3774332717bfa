"""BU-3DFE: what is written reads back, names, landmarks and the protocol of paper A."""

import itertools

import numpy as np
import pytest

from models.errors import DataError, ScanError
from models.readers.bu3dfe import EXPRESSIONS, bu3dfe_protocol, index_bu3dfe, read_bnd, read_bu3dfe, write_bu3dfe
from models.types import Scan

LANDMARKS = np.arange(83, dtype=np.int64)[::-1].copy()
NAMES = [("NE", 0), *itertools.product(sorted(set(EXPRESSIONS) - {"NE"}), range(1, 5))]


def scan():
    generator = np.random.default_rng(0)
    vertices = (generator.normal(size=(120, 3)) * 70).astype(np.float32)
    return Scan(vertices, generator.integers(0, 120, (200, 3)).astype(np.int32))


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    root = tmp_path_factory.mktemp("bu3dfe")
    for subject, ancestry in (("M0001", "AE"), ("F0001", "WH")):
        for expression, intensity in NAMES:
            write_bu3dfe(root, subject, expression, intensity, ancestry, scan(), LANDMARKS)
    (root / "F0001" / "F0001_NE00WH_RAW.wrl").write_text("not this one")
    return root


def test_every_scan_is_indexed_with_what_its_name_says(people):
    records = index_bu3dfe(people)
    assert len(records) == 50
    assert [record.subject for record in records] == ["F0001"] * 25 + ["M0001"] * 25
    happy = next(record for record in records if record.path == "M0001/M0001_HA03AE_F3D.wrl")
    assert (happy.gender, happy.expression, happy.intensity) == ("m", "happy", 3)
    assert happy.labels == {"ancestry": "east asian"}


def test_a_scan_and_its_landmarks_read_back(people):
    back = read_bu3dfe(people / "F0001" / "F0001_NE00WH_F3D.wrl")
    np.testing.assert_allclose(back.vertices, scan().vertices, atol=1e-5)
    np.testing.assert_array_equal(back.triangles, scan().triangles)
    assert list(back.landmarks) == [f"bnd{row:02d}" for row in range(83)]
    np.testing.assert_allclose(list(back.landmarks.values()), scan().vertices[LANDMARKS], atol=1e-5)
    indices, _ = read_bnd(people / "F0001" / "F0001_NE00WH_F3D.bnd")
    np.testing.assert_array_equal(indices, LANDMARKS)


def test_neutral_scans_are_the_gallery_and_all_others_probes(people):
    records = index_bu3dfe(people)
    protocol = bu3dfe_protocol(records)
    assert protocol.gallery_ids == ("F0001/F0001_NE00WH_F3D.wrl", "M0001/M0001_NE00AE_F3D.wrl")
    assert len(protocol.probes) == 48
    assert set(protocol.gallery_ids) | set(protocol.probe_ids) == {record.path for record in records}
    assert protocol.hash() == bu3dfe_protocol(records[::-1]).hash()


def test_scans_of_someone_without_a_neutral_one_are_excluded_with_the_reason(people):
    records = [record for record in index_bu3dfe(people) if "F0001_NE" not in record.path]
    protocol = bu3dfe_protocol(records)
    assert (len(protocol.gallery), len(protocol.probes), len(protocol.exclusions)) == (1, 24, 24)
    assert {left.reason for left in protocol.exclusions} == {"no neutral scan"}
    with pytest.raises(DataError, match="exactly one"):
        bu3dfe_protocol([*records, *records])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("F0001/F0001_XX01WH_F3D.wrl", "not a BU-3DFE name"),
        ("F0001/F0001_AN05WH_F3D.wrl", "intensity 5"),
        ("F0001/F0001_AN00WH_F3D.wrl", "intensity 0"),
        ("F0001/F0001_NE01WH_F3D.wrl", "intensity 1"),
        ("F0001/F0002_NE00WH_F3D.wrl", "in the folder of F0001"),
        ("other/F0002_NE00WH_F3D.wrl", "no <subject>"),
    ],
)
def test_names_that_break_the_format_are_refused(name, reason, tmp_path):
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text("")
    with pytest.raises(DataError, match=reason):
        index_bu3dfe(tmp_path)


def test_the_writer_refuses_names_and_landmarks_the_format_does_not_have(tmp_path):
    for subject, expression, intensity, ancestry in (("X1", "NE", 0, "WH"), ("F0001", "AN", 0, "WH")):
        with pytest.raises(DataError):
            write_bu3dfe(tmp_path, subject, expression, intensity, ancestry, scan(), LANDMARKS)
    with pytest.raises(DataError, match="another mesh"):
        write_bu3dfe(tmp_path, "F0001", "NE", 0, "WH", scan(), LANDMARKS + 100)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0 1 2", "numbers, not 83"),
        ("0 1 2 nan", "not 83"),
        ("0.5 1 2 3", "whole number"),
        ("999 1 2 3", "outside 0 to 119"),
        ("-1 1 2 3", "outside"),
        ("a 1 2 3", "not a number"),
    ],
)
def test_damaged_landmark_files_are_refused(row, reason, tmp_path):
    path = tmp_path / write_bu3dfe(tmp_path, "F0001", "NE", 0, "WH", scan(), LANDMARKS)
    path.with_suffix(".bnd").write_text("\n".join(["1 2.0 3.0 4.0"] * 82 + [row]))
    with pytest.raises(ScanError, match=reason):
        read_bu3dfe(path)


def test_a_scan_without_landmark_file_has_no_landmarks(tmp_path):
    path = tmp_path / write_bu3dfe(tmp_path, "F0001", "NE", 0, "WH", scan(), LANDMARKS)
    path.with_suffix(".bnd").unlink()
    assert read_bu3dfe(path).landmarks == {}

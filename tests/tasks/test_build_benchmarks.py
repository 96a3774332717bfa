"""Shards of the simulated FRGC v2, Bosphorus and BU-4DFE read back as the real ones would."""

import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from models.geometry.canonical import canonical_range_image
from models.geometry.range_image import Grid
from models.geometry.template import builtin_template
from models.protocols.published import PAPER_A
from models.protocols.scans import bosphorus_protocol, bu4dfe_protocol, frgc_protocol
from models.readers.bosphorus import index_bosphorus, read_bosphorus
from models.readers.bu4dfe import index_bu4dfe
from models.readers.frgc import index_frgc
from models.readers.lm3 import LABELS
from models.readers.scans import read_scan
from tasks.build_bosphorus import DETAILS, EXPRESSION_SUBSET, OTHERS, build_bosphorus
from tasks.build_bu4dfe import build_bu4dfe, protocol_frames, shown_share
from tasks.build_frgc import build_frgc

SCANNER = {"spacing_mm": 4.0, "spike_rate": 0.0, "lost_side_rate": 0.0, "holes_per_scan": 0.0}
FRGC = {"people": 3, "scans": 9, "training_scans": 2, "grid": [60, 90], "scanner": SCANNER}
BOSPHORUS = {"people": 2, "scans": 24, "others": 30, "scanner": SCANNER}
BU4DFE = {"women": 1, "men": 1, "smoothing_mm": 3.0, "scanner": SCANNER}


@pytest.fixture(scope="module")
def frgc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frgc")
    for first, count in ((0, 1), (1, 2)):
        build_frgc(folder, seed=1, first=first, count=count, **FRGC)
    return folder


@pytest.fixture(scope="module")
def bosphorus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bosphorus")
    build_bosphorus(folder, seed=1, first=0, count=2, **BOSPHORUS)
    return folder


@pytest.fixture(scope="module")
def bu4dfe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bu4dfe")
    build_bu4dfe(folder, seed=1, first=0, count=2, **BU4DFE)
    return folder


def test_frgc_has_its_scans_in_three_folders_and_the_first_of_each_is_enrolled(frgc: Path):
    records = list(index_frgc(frgc))
    protocol = frgc_protocol(records)
    assert (len(protocol.gallery), len(protocol.probes), len(protocol.exclusions)) == (3, 6, 2)
    assert {path.name for path in frgc.iterdir()} == {"Fall2003range", "Spring2003range", "Spring2004range"}
    first = {member.subject: member.id for member in protocol.gallery}
    for record in records:
        if record.labels["collection"] != "Spring2003" and record.path != first[record.subject]:
            earlier = int(first[record.subject].split("d")[-1].split(".")[0])
            assert int(record.labels["recording"]) > earlier


def test_frgc_faces_stand_a_metre_before_the_scanner_on_the_grid_asked_for(frgc: Path):
    for record in index_frgc(frgc):
        head = gzip.decompress((frgc / record.path).read_bytes())[:40]
        assert head.startswith(b"60 rows\n90 columns\n")
        scan = read_scan(frgc / record.path)
        assert -1700 < scan.vertices[:, 2].min() < scan.vertices[:, 2].max() < -900


def test_bosphorus_has_the_subset_of_the_protocol_and_others_that_it_leaves_out(bosphorus: Path):
    records = list(index_bosphorus(bosphorus))
    kinds = Counter(record.labels["kind"] for record in records)
    protocol = bosphorus_protocol(records)
    assert (len(protocol.gallery), len(protocol.probes), len(protocol.exclusions)) == (2, 22, 30)
    assert sum(kinds[kind] for kind in EXPRESSION_SUBSET) == 24
    assert {"N", "E", "LFAU", "UFAU", "CAU", "YR", "PR", "CR", "O"} <= kinds.keys()
    assert all(member.id.endswith("_N_N_0.bnt") for member in protocol.gallery)


def test_bosphorus_kinds_add_up_to_the_real_data_set():
    assert sum(EXPRESSION_SUBSET.values()) == sum(PAPER_A["bosphorus"]) == 2902
    assert sum(EXPRESSION_SUBSET.values()) + sum(OTHERS.values()) == 4666
    assert DETAILS.keys() == EXPRESSION_SUBSET.keys() | OTHERS.keys()


def test_bosphorus_landmarks_lie_on_the_upright_surface_and_left_is_left(bosphorus: Path):
    for record in list(index_bosphorus(bosphorus)):
        if record.labels["kind"] not in ("N", "E"):
            continue
        scan = read_bosphorus(bosphorus / record.path)
        assert tuple(scan.landmarks) == LABELS
        for label in ("Nose tip", "Outer left eye corner", "Lower lip outer middle"):  # the chin turns away
            assert np.linalg.norm(scan.vertices - scan.landmarks[label], axis=1).min() < 8
        assert scan.landmarks["Outer left eye corner"][0] < scan.landmarks["Outer right eye corner"][0]
        assert scan.landmarks["Nose tip"][1] > scan.landmarks["Chin middle"][1]
        scanned = canonical_range_image(scan, builtin_template(), Grid(64, 64, 2.5))[1]
        assert np.linalg.norm(np.array(scanned.nose_tip) - scan.landmarks["Nose tip"]) < 8


def test_a_bosphorus_head_turned_on_demand_is_turned(bosphorus: Path):
    upright, turned = (read_bosphorus(bosphorus / f"bs000/bs000_{name}_0.bnt").landmarks for name in ("N_N", "YR_R30"))

    def yaw_deg(marks):
        across = np.subtract(marks["Outer right eye corner"], marks["Outer left eye corner"])
        return np.degrees(np.arctan2(-across[2], across[0]))

    assert 10 < yaw_deg(turned) - yaw_deg(upright) < 50


def test_bu4dfe_has_five_frames_of_six_sequences_and_the_first_frame_of_the_first_is_enrolled(bu4dfe: Path):
    records = list(index_bu4dfe(bu4dfe))
    assert Counter(record.subject for record in records) == {"F001": 30, "M001": 30}
    assert {int(record.labels["frame"]) for record in records} == {0, 24, 49, 74, 99}
    protocol = bu4dfe_protocol(records)
    assert protocol.gallery_ids == ("F001/Angry/000.wrl", "M001/Angry/000.wrl")
    assert (len(protocol.probes), len(protocol.exclusions)) == (58, 0)


def test_the_protocols_frames_of_a_whole_sequence_would_be_the_same(tmp_path: Path):
    for frame in range(100):
        (tmp_path / "F001/Angry").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"F001/Angry/{frame:03d}.wrl").touch()
    protocol = bu4dfe_protocol(index_bu4dfe(tmp_path))
    chosen = (*protocol.gallery_ids, *protocol.probe_ids)
    assert tuple(int(name[-7:-4]) for name in chosen) == protocol_frames()


def test_a_sequence_begins_and_ends_neutral_with_its_height_in_the_middle():
    shares = [float(shown_share(frame)) for frame in range(100)]
    assert shares[0] == pytest.approx(0)
    assert shares[99] == pytest.approx(0, abs=1e-6)
    assert max(shares) == pytest.approx(1, abs=1e-3)
    assert 45 < int(np.argmax(shares)) < 55


def test_a_shard_is_the_same_each_time(frgc: Path, bosphorus: Path, bu4dfe: Path, tmp_path: Path):
    build_frgc(tmp_path / "f", seed=1, first=1, count=1, **FRGC)
    build_bosphorus(tmp_path / "b", seed=1, first=1, count=1, **BOSPHORUS)
    build_bu4dfe(tmp_path / "d", seed=1, first=1, count=1, **BU4DFE)
    for made, whole in (("f", frgc), ("b", bosphorus), ("d", bu4dfe)):
        files = [path for path in (tmp_path / made).rglob("*") if path.is_file()]
        assert files
        for path in files:
            assert path.read_bytes() == (whole / path.relative_to(tmp_path / made)).read_bytes()

"""A shard of a simulated BU-3DFE reads back as the real one would."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from models.faceworld.studio import open_studio
from models.readers.bu3dfe import bu3dfe_protocol, index_bu3dfe, read_bu3dfe
from tasks.build_scans import build_scans

PEOPLE = 5
SCANNER = {"spacing_mm": 6.0}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    build_scans(folder, seed=1, first=3, count=1, people=PEOPLE, scanner=SCANNER)
    build_scans(folder, seed=1, first=4, count=1, people=PEOPLE, scanner=SCANNER)
    return folder


def test_a_person_has_25_scans_and_one_is_neutral(scans: Path):
    records = index_bu3dfe(scans)
    assert set(Counter(record.subject for record in records).values()) == {25}
    assert sorted(Counter((record.expression, record.intensity) for record in records).values()) == [2] * 25
    assert sum(record.expression == "neutral" for record in records) == 2
    protocol = bu3dfe_protocol(records)
    assert (len(protocol.gallery), len(protocol.probes)) == (2, 48)


def test_women_and_men_are_counted_apart_and_from_1(scans: Path):
    """The number is the person's place among those of their gender, whichever shard they are in."""
    women = [open_studio().person("benchmark", 1, index).is_female for index in range(PEOPLE)]
    expected = {f"{'F' if women[index] else 'M'}{women[: index + 1].count(women[index]):04d}" for index in (3, 4)}
    assert {record.subject for record in index_bu3dfe(scans)} == expected


def test_landmarks_are_83_vertices_of_the_scan(scans: Path):
    record = index_bu3dfe(scans)[0]
    scan = read_bu3dfe(scans / record.path)
    assert len(scan.landmarks) == 83
    gaps = [np.linalg.norm(scan.vertices - point, axis=1).min() for point in scan.landmarks.values()]
    assert max(gaps) < 1e-3


def test_a_shard_is_the_same_each_time(scans: Path, tmp_path: Path):
    build_scans(tmp_path, seed=1, first=4, count=1, people=PEOPLE, scanner=SCANNER)
    for path in sorted(tmp_path.rglob("*.wrl")):
        assert path.read_bytes() == (scans / path.relative_to(tmp_path)).read_bytes()

"""Real benchmarks join by the catalogue, with a licence, and only as they were listed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.profiles import load_profile
from tasks import present
from tasks.benchmark import simulated_benchmark
from tasks.present import present_benchmarks
from tasks.snapshot import take_snapshot
from tasks.sources import Source
from tests.flows.quiet_prefect import Heard, quiet

TINY = load_profile("tiny")


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heard]:
    with quiet(tmp_path_factory.mktemp("present") / "home") as heard, pytest.MonkeyPatch.context() as patch:
        made = simulated_benchmark("frgc", TINY)
        patch.setattr(present, "simulated_benchmark", lambda *_: made)
        yield heard


@pytest.fixture
def folder(heard: Heard, tmp_path: Path) -> Path:
    """A data set in FRGC's format that nobody simulated, as far as the catalogue knows."""
    made = present.simulated_benchmark("frgc", TINY)
    shutil.copytree(made.root, tmp_path / "frgc", ignore=shutil.ignore_patterns("manifest.json"))
    return tmp_path / "frgc"


def add(folder: Path, licence: str) -> str:
    return take_snapshot(Source("frgc", folder, "scan"), "ours", licence, parse=False).id


def test_without_a_licence_it_is_left_out_with_what_to_do(folder: Path):
    add(folder, "unknown")
    found = present_benchmarks(TINY)
    assert list(found.benchmarks) == ["bu3dfe", "frgc", "bosphorus", "bu4dfe"]
    assert "--licence" in found.refused["real-frgc"]


def test_with_one_it_is_the_protocol_of_the_same_files(folder: Path):
    snapshot = add(folder, "LicenseRef-FRGC-2.0")
    found = present_benchmarks(TINY)
    assert found.refused == {}
    assert found.benchmarks["real-frgc"].protocol.hash() == found.benchmarks["frgc"].protocol.hash()
    assert found.benchmarks["real-frgc"].snapshot.id == snapshot
    assert "LicenseRef-FRGC-2.0" in found.data["real-frgc"]
    assert found.data["frgc"].startswith("simulated FRGC")


def test_when_files_went_or_the_whole_folder_it_is_left_out(folder: Path):
    add(folder, "LicenseRef-FRGC-2.1")
    next(folder.rglob("*.abs*")).unlink()
    assert "1 files came or went since snapshot" in present_benchmarks(TINY).refused["real-frgc"]
    shutil.rmtree(folder)
    assert "is not there any more" in present_benchmarks(TINY).refused["real-frgc"]

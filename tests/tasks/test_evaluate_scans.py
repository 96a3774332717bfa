"""The champion on folders of scans: who serves is opened and checked, figures come out as data, nothing passes."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from infra.profiles import load_profile
from infra.profiles.cleaning import CleaningConfig
from models.errors import ArtefactError, AssetMissing, DataLeak, UnknownPlugin
from models.export.onnx import export_fused
from models.geometry.cleaning import Cleaning
from models.metrics.benchmark import score
from models.networks.fused import FusedBranches
from models.networks.sphere20 import Sphere20
from models.readers.meshes_out import write_obj
from models.readers.scans import read_scan
from registry import ledger
from registry.packaging import register
from tasks import benchmark, champion, evaluate_scans, leakage, normals, synthesise
from tasks.benchmark import merged_benchmark, real_benchmark, simulated_benchmark
from tasks.champion import encoding_of, open_champion, require_champion
from tasks.evaluate_scans import SEED, identify, report_evaluation, scans_to_search
from tasks.jobs import dotted
from tasks.normals import encode_scans
from tasks.wiring import Workspace
from tests.tasks.homes import new_home
from tests.tasks.plain_snapshots import take_in

TINY = load_profile("tiny")
MODEL = "faces"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with new_home(tmp_path_factory.mktemp("evaluate") / "home") as workspace, pytest.MonkeyPatch.context() as patch:
        take_in(workspace, patch)
        for module in (champion, evaluate_scans, leakage, normals, synthesise):
            patch.setattr(module, "open_workspace", lambda: workspace)
        patch.setattr(benchmark, "synthesise_scans", synthesise.synthesise_scans.fn)
        patch.setattr(benchmark, "require_different_people", leakage.require_different_people.fn)
        patch.setattr(evaluate_scans, "create_markdown_artifact", lambda *_, **__: None)
        yield workspace


def crown(workspace: Workspace, pixels: int, model: str = MODEL) -> None:
    """Register untrained networks under a run with the tiny profile's parameters, and let them serve."""
    torch.manual_seed(0)
    branches = [Sphere20(1, 0.0625, (pixels, pixels), 16) for _ in range(3)]
    graph = export_fused(FusedBranches(*branches)).SerializeToString()
    parent = workspace.tracker.run("recognizer", "job", f"{model}-job")
    parent.log_params(dotted(TINY.model_dump()))
    child = workspace.tracker.run("recognizer", "release", f"{model}-release", parent=parent.run_id)
    version = register(workspace.tracker, child, model, graph, f"{model}-key", tags={}, card="")
    assert ledger.promote(workspace.engine, model, version.version, 0, {})


@pytest.fixture(scope="module")
def served(home: Workspace) -> champion.Champion:
    crown(home, TINY.normals.pixels)
    return open_champion(MODEL)


@pytest.fixture(scope="module")
def made(home: Workspace) -> benchmark.Benchmark:
    return simulated_benchmark("frgc", TINY)


def test_a_home_without_champion_says_which_command_makes_one(home: Workspace):
    with pytest.raises(AssetMissing, match=r"no champion of 'nobody'.*trinormal demo"):
        require_champion("nobody")


def test_the_champion_knows_how_it_encodes_scans(served: champion.Champion):
    told, expected = served.normals, TINY.normals
    assert (told.pixels, told.mm_per_pixel, told.crop_radius_mm) == (
        expected.pixels,
        expected.mm_per_pixel,
        expected.crop_radius_mm,
    )
    assert told.cleaning == expected.cleaning


def test_a_graph_of_another_size_than_its_run_says_is_not_used(home: Workspace):
    crown(home, 32, model="misfit")
    with pytest.raises(ArtefactError, match="takes 32 pixels, trained on 48"):
        open_champion("misfit")


def test_a_run_without_the_encoding_is_refused_and_one_without_cleaning_is_cleaned_as_usual():
    grid = {"normals.pixels": "48", "normals.mm_per_pixel": "3.2", "normals.crop_radius_mm": "90.0"}
    assert encoding_of(grid, "old").cleaning == CleaningConfig()
    with pytest.raises(ArtefactError, match="does not say how it encodes"):
        encoding_of({}, "older")


def test_the_profiles_cleaning_is_that_of_the_mathematics():
    assert CleaningConfig().model_dump() == Cleaning()._asdict()


def test_a_simulated_data_set_and_the_same_folder_by_name_are_one_protocol(made: benchmark.Benchmark):
    again = real_benchmark("frgc", made.root)
    assert again.protocol.hash() == made.protocol.hash()
    config = TINY.benchmarks.frgc
    assert (len(again.protocol.gallery), len(again.protocol.probes)) == (config.people, config.scans - config.people)
    with pytest.raises(UnknownPlugin, match="have bu3dfe, frgc, bosphorus, bu4dfe"):
        real_benchmark("orl", made.root)


def test_figures_are_those_of_the_embeddings_and_go_to_mlflow(
    home: Workspace, served: champion.Champion, made: benchmark.Benchmark
):
    wanted = scans_to_search(made.root, "frgc", "first")
    scans = encode_scans.fn(wanted.root, wanted.records, served.normals)
    found = identify.fn(served, scans, wanted)
    results = json.loads(json.dumps(report_evaluation.fn(served, wanted, scans, found)))
    x, y, z = np.load(found.artefact.path / "embeddings.npy")
    expected = score((x, y, z), scans.sources, wanted.protocol, SEED)
    assert results["rank1"] == expected.fused == results["cmc"]["1"]
    assert results["axes"] == {"x": expected.x, "y": expected.y, "z": expected.z}
    assert results["interval"]["low"] <= results["rank1"] <= results["interval"]["high"]
    client = home.tracker.client
    (run,) = client.search_runs([home.tracker.experiment("evaluation")])
    assert run.data.metrics["rank1"] == pytest.approx(results["rank1"])
    assert run.data.params["protocol"] == wanted.protocol.hash()
    assert run.info.status == "FINISHED"


def test_a_folder_of_meshes_is_searched_and_a_broken_scan_counts_as_a_miss(
    served: champion.Champion, made: benchmark.Benchmark, tmp_path: Path
):
    for record in made.records:
        path = tmp_path / str(record.subject) / f"{Path(record.path).name.removesuffix('.abs.gz')}.obj"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(write_obj(read_scan(made.root / record.path)))
    broken = tmp_path / str(made.protocol.probes[0].subject) / "z9.obj"
    broken.write_text("v 0 0 0\nv 90 0 0\nv 0 90 0\nf 1 2 3\n")
    wanted = scans_to_search(tmp_path, None, "first")
    assert len(wanted.protocol.probes) == len(made.protocol.probes) + 1
    scans = encode_scans.fn(wanted.root, wanted.records, served.normals)
    found = identify.fn(served, scans, wanted)
    assert [Path(failure.path).name for failure in scans.failures] == ["z9.obj"]
    assert found.lost_probes == 1
    assert found.scores.cmc[-1] < 1, "a lost probe is a miss at every rank"


def test_merged_benchmarks_keep_everybody_apart_and_every_image(served: champion.Champion, made: benchmark.Benchmark):
    other = simulated_benchmark("bu3dfe", TINY)
    scans, others = (encode_scans.fn(each.root, each.records, served.normals) for each in (made, other))
    protocol, images = merged_benchmark({"frgc": (made, scans), "bu3dfe": (other, others)})
    assert len(protocol.gallery) == len(made.protocol.gallery) + len(other.protocol.gallery)
    assert len({member.subject for member in protocol.gallery}) == len(protocol.gallery)
    assert len(images.sources) == len(scans.sources) + len(others.sources)
    assert {*protocol.gallery_ids, *protocol.probe_ids} == set(images.sources)


def test_a_person_in_two_merged_sets_is_named(served: champion.Champion, made: benchmark.Benchmark):
    scans = encode_scans.fn(made.root, made.records, served.normals)
    with pytest.raises(DataLeak, match=rf"one person in two sets.*{made.protocol.gallery[0].subject[:3]}"):
        merged_benchmark({"one": (made, scans), "other": (made, scans)})

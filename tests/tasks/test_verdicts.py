"""A verdict is asked once, and told on one page and in the job's run in MLflow."""

import json
from pathlib import Path

import numpy as np
import pytest

from expectations.report import Finding, Validation, ValidationReport
from models.geometry.encoding import encode_normals
from models.types import NormalImages
from tasks.facts import embedding_facts_of, normal_facts_of
from tasks.files import save_array
from tasks.frames import facts_in_blocks, load_facts
from tasks.normals import NormalShards
from tasks.stages import make
from tasks.verdicts import keep, verdict
from tasks.wiring import Workspace
from tests.tasks.small_world import some_job

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SOUND = ValidationReport("photos", 3, (Finding("is not black", "brightness", True, count=0),))
BLACK = ValidationReport(
    "photos", 3, (Finding("is not black", "brightness", False, count=1, rows=("p/1.jpg",), reasons=("0.6",)),)
)


def test_the_same_inputs_are_looked_at_once(workspace: Workspace):
    asked: list[int] = []

    def look() -> Validation:
        asked.append(1)
        return Validation("photos", "mine", (BLACK,))

    first = verdict(workspace, "photos", ["a" * 64], {}, [], look)
    assert verdict(workspace, "photos", ["a" * 64], {}, [], look) == first == Validation("photos", "mine", (BLACK,))
    assert len(asked) == 1
    verdict(workspace, "photos", ["b" * 64], {}, [], look)
    verdict(workspace, "photos", ["a" * 64], {"limit": 2}, [], look)
    assert len(asked) == 3


@pytest.mark.filterwarnings("ignore:.*:Warning")
def test_a_job_has_one_page_of_all_validations_and_a_refusal_fails_its_run(workspace: Workspace):
    job, client = some_job(workspace), workspace.tracker.client
    page = keep(workspace, Validation("scans", "bu3dfe", (SOUND,)), job)
    assert client.get_run(job.run_id).info.status == "RUNNING"
    assert keep(workspace, Validation("photos", "mine", (BLACK,)), job) == page
    text = page.read_text(encoding="utf-8")
    assert text.index('id="photos"') < text.index('id="scans"')
    assert "p/1.jpg" in text
    run = client.get_run(job.run_id)
    assert (run.info.status, run.data.tags["trinormal.reason"]) == (
        "FAILED",
        "validation: brightness: is not black - 1 row fails, first p/1.jpg (0.6)",
    )
    metrics = run.data.metrics
    assert (metrics["validation.photos.failed"], metrics["validation.scans.failed"]) == (1, 0)
    assert metrics["validation.photos.rows"] == 3
    fetched = Path(client.download_artifacts(job.run_id, "validation.html"))
    assert fetched.read_text(encoding="utf-8") == text
    kept = json.loads(Path(client.download_artifacts(job.run_id, "validation/photos.json")).read_text())
    assert (kept["passed"], kept["reports"][0]["findings"][0]["rows"]) == (False, ["p/1.jpg"])


def some_normals(workspace: Workspace, many: int, seed: int) -> NormalShards:
    """Two shards of images of unit normals."""
    rng = np.random.default_rng(seed)
    shards = []
    for number in range(2):
        normals = rng.normal(size=(many, 8, 8, 3))
        normals = (normals / np.linalg.norm(normals, axis=-1, keepdims=True)).astype(np.float32)
        planes = np.stack([encode_normals(NormalImages(each, np.ones((8, 8), bool))) for each in normals])

        def build(folder: Path, _: Path, planes: np.ndarray = planes) -> None:
            save_array(folder / "normals.npy", planes)

        shards.append(make(workspace, "photo-normals", [], {"seed": seed, "number": number}, [], build))
    sources = [f"{name}.jpg" for name in "abcd" for _ in range(2)]
    return NormalShards(shards, sources, [], [])


def test_facts_of_images_say_which_image_of_which_photo(workspace: Workspace):
    shards = normal_facts_of(workspace, some_normals(workspace, 4, 0))
    facts = load_facts(shards)
    assert facts["path"].tolist() == [f"{name}.jpg (image {number})" for name in "abcd" for number in (1, 2)]
    assert facts["valid_share"].tolist() == [1.0] * 8
    assert [len(block) for block in facts_in_blocks(shards, rows=3)] == [4, 4]
    assert [len(block) for block in facts_in_blocks(shards, rows=5)] == [8]


def test_facts_of_embeddings_name_scan_and_network(workspace: Workspace):
    features = np.eye(6, dtype=np.float32).reshape(2, 3, 6)

    def build(folder: Path, _: Path) -> None:
        save_array(folder / "ce.npy", features)

    made = make(workspace, "embeddings", [], {}, [], build)
    facts = load_facts(embedding_facts_of(workspace, made, ["s/1", "s/2", "s/3"], {"ce": "xy"}))
    assert list(zip(facts["network"], facts["path"], strict=True)) == [
        (f"ce-{axis}", f"s/{number}") for axis in "xy" for number in (1, 2, 3)
    ]
    assert facts["norm"].tolist() == [1.0] * 6
    np.testing.assert_allclose(facts["from_mean"], np.sqrt(2 / 3), rtol=1e-6)

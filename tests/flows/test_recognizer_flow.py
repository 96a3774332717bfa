"""The whole of the main job in profile tiny, through the real command: once unbroken, again, and killed everywhere."""

import json
import math
import re
import signal
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from mlflow import MlflowClient
from safetensors.numpy import load as load_weights

from infra.database import open_engine
from infra.profiles import load_profile
from infra.store import ContentStore
from registry.lineage import ancestors, is_complete
from registry.mirror import reconcile
from registry.packaging import LINEAGE, fetch_graph, fetch_package, find_version
from registry.tracking import KEY, Tracker
from tests.flows.conftest import DEMO, FirstRun, Interrupted, alone_with
from tests.flows.trinormal_command import VARIANTS, ask, contents, figures, partials, results_of, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
MODEL = "recognizer-tiny"
TOPICS = (
    *("photos", "world", "world-held-out", "coefficients", "photo-normals", "scans", "scan-normals", "embeddings"),
)
CHILDREN = {"ExpNet", "pre-training", "release-lmcl"} | {
    f"{loss}-{axis}" for loss in ("cross_entropy", "lmcl") for axis in "xyz"
}


def tracker_of(home) -> Tracker:
    return Tracker(f"sqlite:///{home / 'mlflow' / 'mlflow.db'}", home / "mlflow" / "artifacts")


def runs_of(home):
    client = tracker_of(home).client
    return client.search_runs([each.experiment_id for each in client.search_experiments()])


def test_the_demo_ends_well_and_says_where_everything_is(unbroken: FirstRun):
    assert unbroken.code == 0, unbroken.errors
    assert "Traceback" not in unbroken.errors
    home = unbroken.sandbox.home
    for said in (
        f"{MODEL} version 1 is champion",
        str(home / "tiny" / "report.html"),
        str(home / "tiny" / "results.json"),
    ):
        assert said in unbroken.output


def test_results_hold_every_promised_figure(unbroken: FirstRun):
    results, profile = results_of(unbroken.sandbox.home), load_profile("tiny")
    assert results["profile"] == "tiny"
    assert {"photos", "align", "expnet", "pretrain", "evaluate", "export"} <= results["seconds"].keys()
    assert all(seconds >= 0 for seconds in results["seconds"].values())
    assert sum(results["seconds"].values()) > 1
    assert 200 < results["peak_memory_mb"] < 20_000
    (benchmark,) = results["benchmarks"].values()
    assert results["benchmarks"].keys() == {"bu3dfe"}
    people = profile.benchmark.people
    assert (benchmark["gallery"], benchmark["probes"]) == (people, 24 * people)
    assert 0 <= benchmark["failures"] <= 25 * people
    for variant in VARIANTS:
        assert benchmark[variant].keys() == {"x", "y", "z", "fused"}
        assert all(0 <= share <= 1 for share in benchmark[variant].values())
        assert all(
            math.isclose(share * 24 * people, round(share * 24 * people)) for share in benchmark[variant].values()
        )
        low, high = benchmark["fused_interval"][variant]
        assert 0 <= low <= benchmark[variant]["fused"] <= high <= 1
    assert results["registered"] == {"name": MODEL, "version": "1", "alias": "champion"}
    assert results["photos"]["count"] == profile.photos.people * profile.photos.photos_per_person


def test_mlflow_has_one_parent_and_a_child_for_each_network_with_curves(unbroken: FirstRun):
    runs = {run.info.run_name: run for run in runs_of(unbroken.sandbox.home)}
    client, profile = tracker_of(unbroken.sandbox.home).client, load_profile("tiny")
    parents = [run for run in runs.values() if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1
    (parent,) = parents
    assert runs.keys() - {parent.info.run_name} == CHILDREN
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values() if run is not parent} == {parent.info.run_id}
    epochs = {"ExpNet": profile.expnet.epochs, "pre-training": profile.recogniser.pretraining.epochs}
    for name in CHILDREN - {"release-lmcl"}:
        curve = client.get_metric_history(runs[name].info.run_id, "train.loss")
        expected = epochs.get(name, profile.recogniser.finetuning.epochs)
        assert [point.step for point in curve] == list(range(1, expected + 1))
        assert all(math.isfinite(point.value) for point in curve)
        assert int(runs[name].data.params["epochs"]) == expected


def test_the_parent_run_names_its_data_and_keeps_figures_and_pictures(unbroken: FirstRun):
    home = unbroken.sandbox.home
    client, results = tracker_of(home).client, results_of(home)
    (parent,) = [run for run in runs_of(home) if "mlflow.parentRunId" not in run.data.tags]
    assert parent.data.params["expnet.depth"] == str(load_profile("tiny").expnet.depth)
    (given,) = parent.inputs.dataset_inputs
    assert results["photos"]["snapshot"].startswith(given.dataset.digest)
    assert parent.data.tags["trinormal.dataset.training"] == results["photos"]["snapshot"]
    assert parent.data.metrics["bu3dfe.lmcl.fused"] == pytest.approx(results["benchmarks"]["bu3dfe"]["lmcl"]["fused"])
    kept = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert {"results.json", "report.html", "gallery.png", "cmc.png"} <= kept


def test_the_registry_holds_a_champion_that_runs(unbroken: FirstRun):
    home = unbroken.sandbox.home
    tracker = tracker_of(home)
    found = find_version(tracker, MODEL, "@champion")
    graph = fetch_graph(tracker, found)
    onnx.checker.check_model(onnx.load_model_from_string(graph))
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    pixels = load_profile("tiny").normals.pixels
    images = np.random.default_rng(0).normal(size=(3, 2, 1, pixels, pixels)).astype(np.float32)
    answers = session.run(None, dict(zip(("nx", "ny", "nz"), images, strict=True)))
    assert [np.asarray(answer).shape for answer in answers] == [(2, load_profile("tiny").recogniser.embedding)] * 3
    np.testing.assert_allclose(np.linalg.norm(np.stack(answers), axis=2), 1, atol=1e-5)
    description = tracker.client.get_model_version(MODEL, found.version).description
    assert "rank-1" in description.lower()
    engine = open_engine(f"sqlite:///{home / 'trinormal.db'}")
    assert reconcile(engine, tracker, MODEL) == ()
    engine.dispose()


def test_the_champions_package_holds_all_that_belongs_to_it(unbroken: FirstRun, tmp_path: Path):
    tracker = tracker_of(unbroken.sandbox.home)
    package = fetch_package(tracker, find_version(tracker, MODEL, "@champion"), tmp_path)
    parity, verdict = (json.loads(package.read(name)) for name in ("parity.json", "quantisation.json"))
    assert set(parity) == {f"{kind}_{count}" for kind in ("random", "real") for count in (1, 5, 16)}
    assert max(parity.values()) < 1e-4
    assert ("model.int8.onnx" in package.manifest.files) == verdict["accepted"] == (verdict["reason"] == "")
    assert verdict["rank1"]["fp32"] == results_of(unbroken.sandbox.home)["benchmarks"]["bu3dfe"]["lmcl"]["fused"]
    weights = load_weights(package.read("weights.safetensors"))
    assert {name.partition(".")[0] for name in weights} == {"branch_x", "branch_y", "branch_z"}
    crops = np.zeros((2, 3, *[load_profile("tiny").expnet.pixels] * 2), np.uint8)
    session = onnxruntime.InferenceSession(package.read("reconstructor.onnx"), providers=["CPUExecutionProvider"])
    identity, *_ = session.run(None, {"crops": crops})
    assert np.asarray(identity).shape == (2, 99)
    bom = json.loads(package.read("bom.cdx.json"))
    assert {"snapshot", "sphere20", "photo-normals"} <= {each["name"] for each in bom["components"]}


def test_the_champion_can_be_traced_to_its_photos(unbroken: FirstRun):
    home = unbroken.sandbox.home
    engine = open_engine(f"sqlite:///{home / 'trinormal.db'}")
    nodes = ancestors(engine, find_version(tracker_of(home), MODEL, "1").tags[LINEAGE])
    engine.dispose()
    assert is_complete(nodes)
    assert results_of(home)["photos"]["snapshot"] in {node.hash for node in nodes if node.kind == "snapshot"}
    stages = {node.stage for node in nodes}
    assert {"onnx", "sphere20", "photo-normals", "crops", "expnet", "regression", "photo-shards"} <= stages


def test_every_artefact_is_what_its_manifest_says(unbroken: FirstRun):
    store = ContentStore(unbroken.sandbox.home / "store")
    artefacts = [artefact for stage in store.sizes() for artefact in store.artefacts(stage)]
    assert len(artefacts) > 20
    for artefact in artefacts:
        store.verify(artefact)


def test_nothing_is_written_outside_the_home(unbroken: FirstRun, interrupted: Interrupted):
    """Not even in the temporary folder; only what a killed `multiprocessing` could not take away may stay there."""
    assert unbroken.sandbox.litter() == []
    assert [path for path in interrupted.sandbox.litter() if "pymp-" not in path.name] == []


def test_a_finished_job_leaves_no_scratch_and_no_partial_files(unbroken: FirstRun):
    home = unbroken.sandbox.home
    assert list((home / "scratch").iterdir()) == []
    assert partials(home) == []


def test_the_report_is_one_page_that_needs_no_network(unbroken: FirstRun):
    whole = (unbroken.sandbox.home / "tiny" / "report.html").read_text()
    page = re.sub(
        r"<script[^>]*>.*?</script>", "<script></script>", whole, flags=re.DOTALL
    )  # what scripts ask for, tests/browser sees
    addresses = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)["']|url\(([^)]+)\)""", page)
    assert {first or second for first, second in addresses if not (first or second).startswith(("data:", "#"))} == set()
    assert page.count("data:image/png;base64,") >= 2
    assert not re.search(r"<script[^>]+src", whole)
    assert "@import" not in page
    fused = results_of(unbroken.sandbox.home)["benchmarks"]["bu3dfe"]["lmcl"]["fused"]
    assert f"{100 * fused:.1f}" in page


def test_every_suite_ran_before_what_needs_it_and_stands_on_one_page_in_mlflow(unbroken: FirstRun):
    home = unbroken.sandbox.home
    (page,) = (home / "validation").glob("*/validation.html")
    told = page.read_text()
    assert set(re.findall(r'<section id="([^"]+)"', told)) == set(TOPICS)
    assert not re.search(r"https?://|<script|@import", told)
    (parent,) = [run for run in runs_of(home) if "mlflow.parentRunId" not in run.data.tags]
    profile = load_profile("tiny")
    rows = {topic: parent.data.metrics[f"validation.{topic}.rows"] for topic in TOPICS}
    photos = profile.photos.people * profile.photos.photos_per_person
    assert (rows["photos"], rows["coefficients"]) == (photos, photos)
    assert rows["photo-normals"] == photos * profile.normals.variants_per_photo
    assert rows["scans"] == 25 * profile.benchmark.people
    assert rows["embeddings"] == 3 * len(VARIANTS) * rows["scan-normals"]
    assert {parent.data.metrics[f"validation.{topic}.failed"] for topic in TOPICS} == {0}
    kept = {file.path for file in tracker_of(home).client.list_artifacts(parent.info.run_id)}
    assert {"validation.html", "validation"} <= kept


def test_prefect_saw_the_flow_and_each_stage_complete(unbroken: FirstRun):
    database = unbroken.sandbox.home / "prefect" / "prefect.db"
    assert ask(database, "select state_type, count(*) from flow_run group by 1") == [("COMPLETED", 1)]
    tasks = ask(database, "select name, state_type from task_run")
    assert {state for _, state in tasks} == {"COMPLETED"}
    names = {re.sub(r"-[0-9a-f]+$", "", name) for name, _ in tasks}
    assert {"train ExpNet", "evaluate", "register", "judge", "make champion", "report"} <= names
    keys = {key for (key,) in ask(database, "select key from artifact")}
    assert {f"{topic}-validation" for topic in TOPICS} | {"recognizer-results"} <= keys


def test_a_second_run_makes_nothing_again(unbroken: FirstRun):
    home = unbroken.sandbox.home
    before, results, runs = contents(home), results_of(home), {run.info.run_id for run in runs_of(home)}
    with alone_with(unbroken):
        again = run(unbroken.sandbox, *DEMO)
    assert again.returncode == 0, again.stderr
    assert "epoch" not in again.stderr
    assert contents(home) == before
    assert results_of(home) == results
    assert {run.info.run_id for run in runs_of(home)} == runs
    assert [int(version.version) for version in _versions(home)] == [1]


def test_each_interruption_ended_the_command_at_once(interrupted: Interrupted):
    codes = {name: broken.code for name, broken in interrupted.breaks.items()}
    assert codes.pop("Ctrl-C") == 130
    assert set(codes.values()) == {-signal.SIGKILL}


def test_no_child_outlives_its_command(interrupted: Interrupted):
    assert {name: broken.left_behind for name, broken in interrupted.breaks.items() if broken.left_behind} == {}


def test_ctrl_c_says_one_line(interrupted: Interrupted):
    printed = interrupted.breaks["Ctrl-C"].printed
    lines = [line for line in printed.splitlines() if line.strip() and not re.search(r"epoch \d|: \d+/\d+$", line)]
    assert lines == ["trinormal: stopped; the same command goes on where it was"]


def test_a_killed_job_ends_with_the_figures_of_the_unbroken_one(unbroken: FirstRun, interrupted: Interrupted):
    assert interrupted.last_code == 0, interrupted.last_output
    assert figures(results_of(interrupted.sandbox.home)) == figures(results_of(unbroken.sandbox.home))


def test_a_killed_job_ends_with_the_bytes_of_the_unbroken_one(unbroken: FirstRun, interrupted: Interrupted):
    whole, broken = contents(unbroken.sandbox.home), contents(interrupted.sandbox.home)
    assert broken.keys() == whole.keys()
    assert [key for key in whole if broken[key] != whole[key]] == []


def test_a_killed_job_has_one_run_a_key_and_one_version(interrupted: Interrupted):
    home = interrupted.sandbox.home
    keys = [run.data.tags[KEY] for run in runs_of(home)]
    assert len(keys) == len(set(keys)) == 1 + len(CHILDREN)
    assert {run.info.status for run in runs_of(home)} == {"FINISHED"}
    assert [(int(each.version), each.aliases) for each in _versions(home)] == [(1, ["champion"])]


def _versions(home):
    client: MlflowClient = tracker_of(home).client
    return [client.get_model_version(MODEL, found.version) for found in client.search_model_versions()]


def test_what_a_kill_left_half_filled_is_swept(interrupted: Interrupted):
    assert any(broken.half_filled for broken in interrupted.breaks.values())
    assert partials(interrupted.sandbox.home / "store") == []
    assert list((interrupted.sandbox.home / "scratch").iterdir()) == []


def test_an_interrupted_training_goes_on_and_does_not_start_again(interrupted: Interrupted):
    """An epoch is told before it is stored, so the next run may tell the last one again, but none before it."""
    breaks = interrupted.breaks
    assert "ExpNet: epoch 1/" not in breaks["Ctrl-C"].printed
    assert "ExpNet: epoch 3/" in breaks["Ctrl-C"].printed
    told = set(re.findall(r"^(\S+): epoch 2/", breaks["fine-tuning"].printed, re.MULTILINE))
    assert "lmcl-x" in told
    assert told & set(re.findall(r"^(\S+): epoch 1/", breaks["export"].printed, re.MULTILINE)) == set()

"""A training on two nodes, each with a home of its own, learns what one process learns; the second hears by wire."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from flows.servers import free_port
from infra.errors import SettingsError
from infra.settings import load_settings
from infra.store import open_store
from models.errors import ConfigurationError
from tasks import fit_expnet
from tasks.lending import lend
from tasks.nodes import load_portable, save_portable
from tests.tasks.test_ranks import CONFIG, REPOSITORY, logs, shards_in

KEY = "a" * 64


def test_nodes_need_an_address_and_a_store_that_all_see():
    for given in ({"training_address": "first:29500"}, {"store_url": "/shared"}):
        with pytest.raises(SettingsError, match=r"TRAINING_NODES needs .*_ADDRESS and .*_STORE_URL"):
            load_settings(training_nodes=2, **given)
    with pytest.raises(SettingsError, match="TRAINING_ADDRESS"):
        load_settings(training_address="http://first:29500/here")


@pytest.mark.parametrize("node", [0, 2, -1])
def test_a_node_that_is_none_of_the_others_is_one_line(tmp_path: Path, node: int):
    settings = load_settings(home=tmp_path, training_nodes=2, training_address="first:1", store_url=str(tmp_path / "s"))
    with pytest.raises(ConfigurationError, match=rf"node {node} of 2: .* the others are 1 to N-1"):
        lend(settings, node)


def test_what_a_training_is_told_means_the_same_in_another_home(tmp_path: Path):
    shared = str(tmp_path / "shared")
    ours, theirs = (load_settings(home=tmp_path / name, store_url=shared) for name in ("ours", "theirs"))
    here, there = (open_store(each.store, shared) for each in (ours, theirs))

    def crops(folder: Path) -> None:
        (folder / "crops.npy").write_bytes(b"crops")

    made = here.ensure("shards", KEY, crops)
    told = fit_expnet.Fit([made.path, ours.home / "beside", Path("/photos")], CONFIG, 3, "run")
    save_portable(tmp_path, told, ours, here)
    back = load_portable(tmp_path, fit_expnet.Fit, theirs, there)
    assert back.shards == [theirs.store / "shards" / "aa" / KEY, theirs.home / "beside", Path("/photos")]
    assert (back.shards[0] / "crops.npy").read_bytes() == b"crops"
    assert back._replace(shards=[]) == told._replace(shards=[])


def told(home: Path, shared: Path, port: int) -> dict[str, str]:
    return {
        **os.environ,
        "TRINORMAL_HOME": str(home),
        "TRINORMAL_STORE_URL": str(shared),
        "TRINORMAL_MLFLOW_TRACKING_URI": f"sqlite:///{shared.parent / 'mlflow.db'}",
        "TRINORMAL_TRAINING_NODES": "2",
        "TRINORMAL_TRAINING_ADDRESS": f"127.0.0.1:{port}",
        "TRINORMAL_WORKERS": "1",
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
    }


def begun(home: Path, what: str, told: dict[str, str]) -> subprocess.Popen[bytes]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / f"log-{time.time_ns()}.txt").open("wb") as log:
        return subprocess.Popen([sys.executable, __file__, what, str(home)], env=told, stdout=log, stderr=log)


def losses(home: Path) -> list[float]:
    return [row["loss"] for row in json.loads((home / "made" / "history.json").read_text())]


@pytest.mark.unproven
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_nodes_learn_the_curve_of_one_process_killed_in_between_or_not(tmp_path: Path):
    shared, first, second, alone = (tmp_path / name for name in ("shared", "first", "second", "alone"))
    environment = told(first, shared, free_port())
    helper = begun(second, "lend", {**environment, "TRINORMAL_HOME": str(second)})
    try:
        killed = begun(first, "train", environment)
        while not (first / "scratch-of-it" / "last.safetensors").is_file():
            assert killed.poll() is None, logs(first) + logs(second)
            time.sleep(0.02)
        killed.kill()
        killed.wait()
        assert not (first / "made" / "history.json").exists(), "killed too late to be told anything"
        assert begun(first, "train", environment).wait(400) == 0, logs(first) + logs(second)
        assert helper.wait(60) == 0, logs(second)
    finally:
        helper.kill()
    one = {**environment, "TRINORMAL_HOME": str(alone), "TRINORMAL_TRAINING_NODES": "1"}
    assert begun(alone, "train", one).wait(280) == 0, logs(alone)
    assert len(losses(first)) == CONFIG.epochs
    np.testing.assert_allclose(losses(first), losses(alone), rtol=1e-4)
    assert not (second / "shard").exists(), "its images came through the shared store"
    assert (second / "store" / "shards" / KEY[:2] / KEY / "crops.npy").is_file()


def train(home: Path) -> None:
    """What the task does on the machine where flows run."""
    from tasks.ranks import run_ranks
    from tasks.wiring import open_workspace

    workspace = open_workspace()
    made = workspace.store.ensure("shards", KEY, _fill)
    run = workspace.tracker.run("reconstructors", "ExpNet", "key")
    fit = fit_expnet.Fit([made.path], CONFIG, 3, run.run_id)
    folder, scratch = home / "made", home / "scratch-of-it"
    for each in (folder, scratch):
        each.mkdir(exist_ok=True)
    if workspace.settings.training_ranks > 1:
        run_ranks(workspace.settings, "expnet", folder, scratch, fit)
    else:
        fit_expnet.fit_expnet(folder, scratch, fit)


def _fill(folder: Path) -> None:
    (shard,) = shards_in(folder)
    for path in list(shard.iterdir()):
        path.rename(folder / path.name)
    shard.rmdir()


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(Path(sys.argv[2]))
    else:
        lend(load_settings(), 1, trainings=1)

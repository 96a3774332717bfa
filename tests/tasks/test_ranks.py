"""A task that trains on two processes: SIGKILL leaves nobody behind, and the next run learns what one would."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from infra.profiles import ExpNetConfig, PhotoWorldConfig, RecogniserConfig, TrainingConfig
from infra.settings import load_settings
from models.networks.expnet import CoefficientLayout
from tasks import fit_expnet, fit_sphere20
from tasks.ranks import TrainingError, run_ranks
from tasks.spec import load_spec, save_spec

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = ExpNetConfig(
    world=PhotoWorldConfig(people=2, photos_per_person=2),
    held_out_people=1,
    depth=18,
    width=0.125,
    pixels=48,
    epochs=4,
    batch_size=8,
    learning_rate=2e-3,
)


def shards_in(folder: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    shard = folder / "shard"
    shard.mkdir(parents=True)
    np.save(shard / "crops.npy", rng.integers(0, 255, (24, 3, 48, 48), np.uint8))
    np.save(shard / "targets.npy", rng.normal(size=(24, CoefficientLayout().size)).astype(np.float32))
    return [shard]


def train(home: Path) -> None:
    """What the task does, in a process that can be killed."""
    from tasks.wiring import open_workspace

    workspace = open_workspace()
    run = workspace.tracker.run("reconstructors", "ExpNet", "key")
    fit = fit_expnet.Fit([home / "shard"], CONFIG, 3, run.run_id)
    folder, scratch = home / "made", home / "scratch-of-it"
    for each in (folder, scratch):
        each.mkdir(exist_ok=True)
    if workspace.settings.training_processes > 1:
        run_ranks(workspace.settings, "expnet", folder, scratch, fit)
    else:
        fit_expnet.fit_expnet(folder, scratch, fit)


def started(home: Path, processes: int) -> subprocess.Popen[bytes]:
    told = {"TRINORMAL_HOME": str(home), "TRINORMAL_TRAINING_PROCESSES": str(processes), "TRINORMAL_WORKERS": "1"}
    environment = {**os.environ, **told, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    log = (home / f"log-{time.time_ns()}.txt").open("wb")
    return subprocess.Popen([sys.executable, __file__, str(home)], env=environment, stdout=log, stderr=log)


def logs(home: Path) -> str:
    return "\n".join(path.read_text() for path in [*sorted(home.glob("log-*.txt")), *home.glob("logs/training.log")])


def losses(home: Path) -> list[float]:
    return [row["loss"] for row in json.loads((home / "made" / "history.json").read_text())]


def test_what_a_training_is_told_comes_back_from_its_file(tmp_path: Path):
    numbers = TrainingConfig(epochs=1, batch_size=2, learning_rate=0.1)
    config = RecogniserConfig(width=0.125, photo_pixels=48, pretraining=numbers, finetuning=numbers)
    labels = np.array([0, 1, 1])
    told = fit_sphere20.Fit(
        "lmcl-x", tmp_path, 0, "lmcl", [tmp_path / "a.npy"], labels, 2, numbers, config, 5, run_id="run", threads=1
    )
    save_spec(tmp_path / "told", told)
    back = load_spec(tmp_path / "told", fit_sphere20.Fit)
    assert back._replace(labels=labels) == told._replace(labels=labels)
    np.testing.assert_array_equal(back.labels, labels)
    save_spec(tmp_path / "anew", told._replace(start=None, axis=None))
    assert load_spec(tmp_path / "anew", fit_sphere20.Fit).start is None


@pytest.mark.unproven
@pytest.mark.slow
class TestProcesses:
    def test_sigkill_leaves_nobody_and_the_next_run_ends_with_the_curve_of_one_process(self, tmp_path: Path):
        home, other = tmp_path / "two", tmp_path / "one"
        for each in (home, other):
            shards_in(each)
        process = started(home, 2)
        family: set[psutil.Process] = set()
        while not (home / "scratch-of-it" / "last.safetensors").is_file():
            assert process.poll() is None, logs(home)
            family.update(psutil.Process(process.pid).children(recursive=True))
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(family) >= 4, "the leash, the launcher and two processes"
        _, alive = psutil.wait_procs(family, timeout=60)
        assert [_command(each) for each in alive] == []
        for each, processes in ((home, 2), (other, 1)):
            assert started(each, processes).wait(280) == 0, logs(each)
        assert len(losses(home)) == CONFIG.epochs
        np.testing.assert_allclose(losses(home), losses(other), rtol=1e-4)
        assert {path.name for path in (home / "made").iterdir()} == {path.name for path in (other / "made").iterdir()}

    def test_an_error_of_a_process_is_one_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("TRINORMAL_HOME", str(tmp_path))
        monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
        settings = load_settings(training_processes=2)
        fit = fit_expnet.Fit(shards_in(tmp_path), CONFIG.model_copy(update={"batch_size": 1}), 3, "run")
        with pytest.raises(TrainingError, match="on 2 processes: batches of 1 images for 2 processes") as told:
            run_ranks(settings, "expnet", tmp_path, tmp_path, fit)
        assert "\n" not in str(told.value)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


if __name__ == "__main__":
    train(Path(sys.argv[1]))

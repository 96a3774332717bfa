"""`trinormal evaluate`: the champion on the very scans that the training's own benchmark used gives its figures."""

import json
from pathlib import Path

import pytest

from tests.flows.conftest import FirstRun
from tests.flows.trinormal_command import Sandbox, results_of, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
MODEL = "recognizer-tiny"


def simulated_bu3dfe(home: Path) -> Path:
    (root,) = {path.parents[1] for path in (home / "store" / "scans").glob("??/*/F0001/*_F3D.wrl")}
    return root


def test_the_champion_repeats_the_figures_of_its_training(unbroken: FirstRun, tmp_path: Path):
    home, out = unbroken.sandbox.home, tmp_path / "evaluation.json"
    wanted = ("evaluate", "--scans", str(simulated_bu3dfe(home)), "--data-set", "bu3dfe", "--model", MODEL)
    done = run(unbroken.sandbox, *wanted, "--out", str(out))
    assert done.returncode == 0, done.stderr
    told, trained = json.loads(out.read_text()), results_of(home)["benchmarks"]["bu3dfe"]
    assert told["rank1"] == pytest.approx(trained["lmcl"]["fused"])
    assert told["axes"] == pytest.approx({axis: trained["lmcl"][axis] for axis in "xyz"})
    assert told["protocol"]["hash"] == trained["protocol"]
    again = run(unbroken.sandbox, *wanted)
    assert json.loads(again.stdout) == told, "what is printed is JSON and nothing else"


def test_a_home_without_champion_is_told_in_one_line(sandbox: Sandbox, tmp_path: Path):
    for name in ("1.obj", "2.obj"):
        (tmp_path / "anna").mkdir(exist_ok=True)
        (tmp_path / "anna" / name).write_text("v 0 0 0\nv 90 0 0\nv 0 90 0\nf 1 2 3\n")
    done = run(sandbox, "evaluate", "--scans", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "no champion of 'recognizer'" in line
    assert "trinormal demo" in line

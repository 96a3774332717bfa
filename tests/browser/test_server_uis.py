"""Both UIs in a real browser, as a person uses them: retrain from a form, compare two runs, see the champion move."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from infra.files import atomic_write_bytes
from tests.browser.chromium import Browser, found_chromium, started
from tests.flows.conftest import FirstRun, unbroken  # noqa: F401 - a fixture
from tests.flows.servers_up import Up, up
from tests.flows.trinormal_command import new_sandbox, seed_home

pytestmark = [pytest.mark.slow, pytest.mark.servers, pytest.mark.timeout(2400)]
RETRAIN, RECONSTRUCTOR = "train-recognizer/retrain", "train-reconstructor/train"
MODEL = "recognizer-tiny"


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that reaches this machine and nothing else."""
    binary = found_chromium()
    if binary is None:
        pytest.skip("no Chromium: install the package chromium to look at pages in a real browser")
    with started(binary, tmp_path_factory.mktemp("chromium"), reachable="127.0.0.1") as made:
        yield made


@pytest.fixture(scope="module")
def servers(window: Browser, unbroken: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:  # noqa: F811
    assert unbroken.code == 0, unbroken.errors
    sandbox = new_sandbox(tmp_path_factory.mktemp("uis"))
    seed_home(unbroken.sandbox.home, sandbox.home, without=())
    with up(sandbox) as made:
        yield made


def keep(window: Browser, folder: Path, name: str) -> None:
    """A picture of the window, which must not be blank; for people to look at where TRINORMAL_TEST_PICTURES says."""
    picture = window.picture()
    atomic_write_bytes(Path(os.environ.get("TRINORMAL_TEST_PICTURES", folder)) / f"{name}.png", picture)
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.std() > 5


def field(label: str) -> str:
    """The script that finds the input below a label of Prefect's form."""
    return f"""[...document.querySelectorAll('.schema-form-property')].filter(e => e.querySelector('input, textarea')
        && (e.querySelector('label') || e).innerText.trim().toLowerCase().startsWith({json.dumps(label)}))
        .at(-1).querySelector('input, textarea')"""


def button(text: str) -> str:
    return f"[...document.querySelectorAll('button')].find(e => e.innerText.trim() === {json.dumps(text)})"


def open_form(window: Browser, servers: Up) -> None:
    ui = servers.prefect.removesuffix("/api")
    window.visit(f"{ui}/deployments/deployment/{servers.deployment(RETRAIN)['id']}/run")
    window.until(f"!!({field('profile')})")


def count_runs(servers: Up) -> int:
    status, found = servers.call("/flow_runs/count", {})
    assert status == 200
    return int(found)


def submit_from_form(window: Browser, servers: Up, profile: str) -> str:
    """Type a profile into the form, press its button, and follow to the page of the run; the run's id."""
    open_form(window, servers)
    window.fill(field("profile"), profile)
    window.click(button("Submit"))
    window.until("location.pathname.includes('/runs/flow-run/')")
    return str(window.value("location.pathname.split('/').at(-1)"))


def champion(servers: Up) -> str:
    model = servers.ask_mlflow(f"/registered-models/get?name={MODEL}")["registered_model"]
    return {each["alias"]: each["version"] for each in model["aliases"]}["champion"]


def test_the_form_refuses_what_makes_no_sense(window: Browser, servers: Up, tmp_path: Path):
    before = count_runs(servers)
    open_form(window, servers)
    keep(window, tmp_path, "1-form")
    window.fill(field("profile"), "huge")
    window.click(button("Submit"))
    window.until("/does not match|pattern|invalid/i.test(document.body.innerText)")
    keep(window, tmp_path, "2-refused")
    assert "/run" in window.value("location.pathname")
    assert count_runs(servers) == before


def test_a_retraining_with_a_changed_parameter_is_started_and_seen_to_end(window: Browser, servers: Up, tmp_path: Path):
    flow_run = submit_from_form(window, servers, "tiny")
    found = servers.wait_for(flow_run)
    assert found["parameters"]["request"]["profile"] == "tiny"
    assert found["state"]["type"] == "COMPLETED", servers.logs(flow_run)
    window.until_text("Completed")
    keep(window, tmp_path, "3-completed")
    outside = [url for url in window.asked_for() if url.startswith("http") and "127.0.0.1" not in url]
    assert outside == []


def test_its_results_pictures_and_links_are_among_its_artifacts(window: Browser, servers: Up, tmp_path: Path):
    ui = servers.prefect.removesuffix("/api")
    window.visit(f"{ui}/artifacts/key/gallery")
    window.until("[...document.images].some(i => i.src.startsWith('data:image/jpeg') && i.naturalWidth > 100)")
    keep(window, tmp_path, "4-gallery")
    window.visit(f"{ui}/artifacts/key/mlflow-run")
    window.until(f"[...document.links].some(a => a.href.startsWith({json.dumps(servers.mlflow)}))")


def test_two_reconstructors_are_compared_in_mlflow(window: Browser, servers: Up, tmp_path: Path):
    for name in ("expnet", "rnet"):
        status, flow_run = servers.create_run(RECONSTRUCTOR, {"profile": "tiny", "name": name})
        assert status == 201
        assert servers.wait_for(flow_run["id"])["state"]["type"] == "COMPLETED", servers.logs(flow_run["id"])
    runs = [each for each in servers.runs("reconstructors") if each["tags"].get("network") in ("expnet", "rnet")]
    assert {each["tags"]["reconstructor"] for each in runs} == {"expnet", "rnet"}
    ids = json.dumps([each["run_id"] for each in runs])
    window.visit(f"{servers.mlflow}/#/compare-runs?runs={ids}&experiments={json.dumps([runs[0]['experiment_id']])}")
    for word in ("ExpNet", "train.loss", "heldout"):
        window.until_text(word)
    keep(window, tmp_path, "5-compared")


def test_the_champion_moves_to_the_version_of_a_better_profile(window: Browser, servers: Up, tmp_path: Path):
    assert champion(servers) == "1"
    window.visit(f"{servers.mlflow}/#/models/{MODEL}")
    window.until_text("champion")
    keep(window, tmp_path, "6-champion-1")
    mine = servers.sandbox.home / "longer.toml"
    text = Path("infra/profiles/tiny.toml").read_text(encoding="utf-8")
    mine.write_text(text.replace("[recogniser.finetuning]\nepochs = 3", "[recogniser.finetuning]\nepochs = 4"))
    flow_run = submit_from_form(window, servers, str(mine))
    assert servers.wait_for(flow_run)["state"]["type"] == "COMPLETED", servers.logs(flow_run)
    assert champion(servers) == "2"
    window.visit(f"{servers.mlflow}/#/models/{MODEL}")
    window.until_text("Version 2")
    keep(window, tmp_path, "7-champion-2")

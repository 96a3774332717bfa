"""A walk through both UIs: a training asked for by its form, runs compared, and the champion's alias moving."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.database import open_engine
from infra.profiles import load_profile
from infra.settings import load_settings
from infra.store import ContentStore
from registry import ledger
from registry.packaging import fetch_graph, find_version
from registry.tracking import Tracker
from tasks.wiring import Workspace
from tests.browser.chromium import Browser, found_chromium, started
from tests.flows.conftest import FirstRun
from tests.flows.crowned import crown, damaged, registered
from tests.flows.servers_up import Up, up
from tests.flows.trinormal_command import new_sandbox, seed_home

pytestmark = [pytest.mark.unproven, pytest.mark.slow, pytest.mark.servers, pytest.mark.timeout(1800)]
TINY = load_profile("tiny")
MODEL = TINY.model_name
FIELD = "document.querySelectorAll('textarea')[{}]"
SUBMIT = "[...document.querySelectorAll('button')].find(each => each.innerText.trim() == 'Submit')"
RETRAIN, RECONSTRUCTOR, ROLLBACK = "train-recognizer/retrain", "train-reconstructor/train", "rollback/rollback"
STATE = "[...document.querySelectorAll('.state-badge')].map(each => each.innerText.trim())"


class Walk(NamedTuple):
    """Servers over a home that holds every artefact of profile tiny and no run yet, and a browser beside them."""

    servers: Up
    browser: Browser
    keep: Callable[[str], None]

    @property
    def prefect(self) -> str:
        return self.servers.prefect.removesuffix("/api")

    def form(self, deployment: str) -> None:
        """The page behind a deployment's Custom run button."""
        found = self.servers.deployment(deployment)
        self.browser.visit(f"{self.prefect}/deployments/deployment/{found['id']}/run", 1400, 1100)
        self.browser.until(f"!!({SUBMIT}) && !!{FIELD.format(0)}")

    def submitted(self, deployment: str) -> str:
        """The run that the form has made; the UI then shows the deployment's runs."""
        before = self.runs(deployment)
        self.browser.click(SUBMIT)
        self.browser.until("!location.pathname.endsWith('/run')")
        (made,) = self.runs(deployment) - before
        return made

    def runs(self, deployment: str) -> set[str]:
        """The runs of a deployment, by their ids."""
        wanted = {"flow_runs": {"deployment_id": {"any_": [self.servers.deployment(deployment)["id"]]}}}
        _, found = self.servers.call("/flow_runs/filter", wanted)
        return {each["id"] for each in found}


@pytest.fixture(scope="module")
def walk(unbroken: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    binary = found_chromium()
    if binary is None:
        pytest.skip("no Chromium: install the package chromium to walk through the servers' pages")
    assert unbroken.code == 0, unbroken.errors
    sandbox = new_sandbox(tmp_path_factory.mktemp("walk"))
    seed_home(unbroken.sandbox.home, sandbox.home, without=())
    pictures = Path(os.environ.get("TRINORMAL_TEST_PICTURES", tmp_path_factory.mktemp("pictures")))
    profile = tmp_path_factory.mktemp("chromium")
    with up(sandbox) as servers, started(binary, profile, reachable="127.0.0.1") as browser:

        def keep(name: str) -> None:
            (pictures / f"{name}.png").write_bytes(browser.picture())

        yield Walk(servers.without_reactions(), browser, keep)


def workspace_of(home: Path) -> Workspace:
    settings = load_settings(home=home, workers=1)
    engine = open_engine(settings.database_url.get_secret_value())
    tracker = Tracker(settings.mlflow_tracking_uri, settings.mlflow_artifacts)
    return Workspace(settings, ContentStore(settings.store), engine, tracker)


@pytest.fixture(scope="module")
def retrained(walk: Walk) -> str:
    """A training that somebody asked for by its form, with another profile than the one that stood there."""
    walk.form(RETRAIN)
    assert walk.browser.value(f"{FIELD.format(0)}.value") == "demo"
    walk.browser.fill(FIELD.format(0), "tiny")
    walk.keep("1-form-filled")
    return walk.submitted(RETRAIN)


def test_the_form_refuses_a_profile_that_is_not_there_and_starts_nothing(walk: Walk):
    before = walk.runs(RETRAIN)
    walk.form(RETRAIN)
    assert "Train a recogniser and let it try to become champion." in walk.browser.value("document.body.innerText")
    walk.browser.fill(FIELD.format(0), "huge")
    walk.browser.click(SUBMIT)
    walk.browser.until_text("Validation failed for field 'request.profile'. Failure reason: 'huge' does not match")
    walk.keep("0-form-refused")
    assert walk.browser.value("location.pathname").endswith("/run"), "still at the form"
    assert walk.runs(RETRAIN) == before


def test_a_training_started_from_its_form_is_seen_to_complete(walk: Walk, retrained: str):
    walk.browser.visit(f"{walk.prefect}/runs/flow-run/{retrained}", 1400, 1100)
    walk.browser.until(f"{STATE}.includes('Completed')", 1200)
    walk.keep("2-run-completed")
    _, run = walk.servers.call(f"/flow_runs/{retrained}")
    assert run["state"]["type"] == "COMPLETED"
    assert run["parameters"]["request"]["profile"] == "tiny"
    assert run["created_by"] is None, "neither a schedule nor an automation"


def test_neither_ui_asks_anybody_else_for_anything(walk: Walk, retrained: str):
    asked = walk.browser.asked_for()
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith((walk.prefect, "data:", "blob:"))] == []


def test_two_reconstructors_are_compared_in_mlflow(walk: Walk, retrained: str):
    """One trained by a form, whose profile is changed, beside the one that the training above has used."""
    walk.servers.wait_for(retrained)
    walk.form(RECONSTRUCTOR)
    walk.browser.fill("[...document.querySelectorAll('textarea')].find(each => each.value == 'demo')", "tiny")
    _, other = walk.servers.create_run(RECONSTRUCTOR, {"name": "expnet", "profile": "tiny"})
    for run in (other["id"], walk.submitted(RECONSTRUCTOR)):
        assert walk.servers.wait_for(run)["state"]["type"] == "COMPLETED", walk.servers.logs(run)
    jobs = [each for each in walk.servers.runs("reconstructors") if "mlflow.parentRunId" not in each["tags"]]
    assert {each["tags"]["reconstructor"] for each in jobs} == {"expnet", "rnet"}
    ids, experiments = json.dumps([each["run_id"] for each in jobs]), json.dumps([jobs[0]["experiment_id"]])
    walk.browser.visit(f"{walk.servers.mlflow}/#/compare-runs?runs={ids}&experiments={experiments}", 1400, 1600)
    for each in jobs:
        walk.browser.until_text(each["run_name"])
    walk.keep("3-mlflow-compared")
    outside = [url for url in walk.browser.asked_for() if not url.startswith((walk.servers.mlflow, "data:", "blob:"))]
    assert outside == []


def test_the_champions_alias_moves_when_a_rollback_is_asked_for_by_its_form(walk: Walk, retrained: str):
    """A second version is forced into place, and a person gives the place back to the first."""
    walk.servers.wait_for(retrained)
    workspace = workspace_of(walk.servers.sandbox.home)
    sound = fetch_graph(workspace.tracker, find_version(workspace.tracker, MODEL, "1"))
    crown(workspace, registered(workspace, TINY, MODEL, damaged(sound), "damaged"))
    assert alias_in_ui(walk) == "2"
    walk.keep("4-alias-on-the-second")
    walk.form(ROLLBACK)
    walk.browser.fill("[...document.querySelectorAll('textarea')].find(each => each.value == 'recognizer')", MODEL)
    walk.keep("5-rollback-form")
    done = walk.servers.wait_for(walk.submitted(ROLLBACK))
    assert done["state"]["type"] == "COMPLETED", walk.servers.logs(done["id"])
    assert alias_in_ui(walk) == "1"
    walk.keep("6-alias-back-on-the-first")
    assert ledger.champion(workspace.engine, MODEL).version == "1"
    workspace.engine.dispose()


def alias_in_ui(walk: Walk) -> str:
    """The version in whose row the model's page shows `@ champion`."""
    walk.browser.visit("about:blank")
    walk.browser.visit(f"{walk.servers.mlflow}/#/models/{MODEL}", 1400, 1000)
    row = "[...document.querySelectorAll('[role=row], tr')].find(each => /@\\s*champion/.test(each.innerText))"
    return walk.browser.until(f"({row}).innerText.match(/Version (\\d+)/)[1]")

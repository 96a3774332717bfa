"""A candidate's way to champion in a real home: ledger, MLflow, graphs that answer, and those that do not."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prefect import Task

from flows import promote as promote_flow
from flows.parameters import NightlyRequest, PromoteRequest, RollbackRequest
from infra.profiles.gates import ServingGateConfig
from registry import ledger, promotion
from registry.candidates import enter, require_candidate
from registry.errors import RegistryError, TrackingError, TrackingUnavailable
from registry.gates import Gate
from registry.packaging import fetch_graph, find_version
from registry.training_runs import release_run
from tasks import confirmation
from tasks import promotion as work
from tasks.candidates import Bounds, Measured, enter_candidate
from tasks.events import PROFILE
from tasks.outcomes import FILE, Outcomes, outcomes_under, read_outcomes
from tasks.wiring import Workspace
from tests.registry.conftest import empty_mlflow
from tests.registry.promotions import aliases, graph, known_lineage, version_of
from tests.tasks.homes import new_home

__all__ = ["empty_mlflow"]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
PEOPLE, PROBES = 30, 4
OWN = (Gate("rank1", at_least=0.9),)


@pytest.fixture(scope="module")
def home(empty_mlflow: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with new_home(tmp_path_factory.mktemp("promotion") / "home") as workspace:
        database = workspace.home / "mlflow" / "mlflow.db"
        database.parent.mkdir(exist_ok=True)
        shutil.copy(empty_mlflow, database)
        known_lineage(workspace.engine)
        yield workspace


@pytest.fixture
def told(home: Workspace, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The events that would have gone to Prefect."""
    events: list[dict[str, Any]] = []
    monkeypatch.setattr(work, "open_workspace", lambda: home)
    monkeypatch.setattr(confirmation, "emit_event", lambda **event: events.append(event))
    return events


def outcomes(wrong_people: int = 0) -> Outcomes:
    """Everybody found, but for the probes of the first so many people."""
    names = [(f"anna-{who}", f"scan-{who}-{number}") for who in range(PEOPLE) for number in range(PROBES)]
    hits = np.repeat(np.arange(PEOPLE) >= wrong_people, PROBES)
    return outcomes_under("p", [probe for _, probe in names], [who for who, _ in names], hits.tolist())


def offered(home: Workspace, model: str, scale: float, found: Outcomes | None = None, **serving: Any) -> str:
    """A candidate as a training leaves it; the number of its version."""
    version = version_of(home.tracker, scale, model=model)
    run = release_run(home.tracker, model, version.version)
    measured = Measured({"rank1": 0.95, "latency_p99_ms": 3.0}, frozenset({"CC0-1.0"}))
    bounds = Bounds(OWN, ServingGateConfig(**serving))
    raw = graph(scale).SerializeToString()
    enter_candidate(home, run, version, raw, outcomes() if found is None else found, measured, bounds)
    return version.version


def crowned(home: Workspace, model: str, scale: float) -> work.Released:
    return work.make_champion.fn(work.judge.fn(model, offered(home, model, scale)))


def actions(home: Workspace, model: str) -> list[str]:
    return [entry.action for entry in ledger.history(home.engine, model)]


def damage(home: Workspace, model: str, version: str) -> None:
    """Another graph where MLflow keeps that of a version."""
    source = home.tracker.client.get_model_version_download_uri(model, version)
    path = Path(source.removeprefix("file://")) / "model.onnx"
    path.write_bytes(graph(77.0).SerializeToString())


def test_a_candidate_becomes_champion_is_asked_and_announced(home: Workspace, told: list[dict[str, Any]]):
    assert crowned(home, "plain", 1.0) == ("plain", "1", "champion", True, ())
    second = work.judge.fn("plain", offered(home, "plain", 2.0))
    assert second.decision.reasons == ()
    assert {check.metric for check in second.decision.checks} == {
        *("rank1", "latency_p99_ms", "versus_champion_low", "p_worse")
    }
    work.note_verdict.fn(second, "Ada")
    assert work.make_champion.fn(second, "Ada", "better") == ("plain", "2", "champion", True, ())
    assert actions(home, "plain") == [
        *("candidate", "promote", "confirm"),
        *("candidate", "pass", "promote", "confirm"),
    ]
    assert aliases(home.tracker, "plain") == {"champion": "2", "previous": "1"}
    assert [event["event"] for event in told] == ["trinormal.champion.promoted"] * 2
    payload = told[-1]["payload"]
    assert payload == {
        **{"model": "plain", "version": "2", "champion": "2", "previous": "1", "epoch": "2"},
        **{"actor": "Ada", "reason": "better", "request": ""},
    }
    assert PROFILE not in told[-1]["resource"], "no recogniser of a profile: nothing to evaluate by itself"
    assert {type(value) for value in payload.values()} == {str}


@pytest.mark.parametrize(("model", "profile"), [("recognizer-tiny", "tiny"), ("recognizer", "demo")])
def test_a_recogniser_of_a_profile_is_announced_with_the_evaluation_to_ask_for(
    home: Workspace, told: list[dict[str, Any]], model: str, profile: str
):
    assert crowned(home, model, 1.0).promoted
    (event,) = told
    assert event["resource"][PROFILE] == profile
    asked = NightlyRequest.model_validate_json(event["payload"]["request"])
    assert asked == NightlyRequest(profile=profile, model=model)


def test_a_candidate_that_misses_a_few_more_people_is_refused_by_the_paired_test(
    home: Workspace, told: list[dict[str, Any]]
):
    crowned(home, "worse", 1.0)
    judged = work.judge.fn("worse", offered(home, "worse", 2.0, outcomes(wrong_people=8)))
    assert [reason.split(" ")[0] for reason in judged.decision.reasons] == ["versus_champion_low", "p_worse"]
    lenient = work.judge.fn("worse", offered(home, "worse", 3.0, outcomes(wrong_people=1), worse_by_at_most=0.2))
    assert lenient.decision.passed, "one person of thirty is within what chance does"


def test_without_outcomes_there_is_no_comparison_and_no_promotion(home: Workspace, told: list[dict[str, Any]]):
    crowned(home, "silent", 1.0)
    version = offered(home, "silent", 2.0)
    release_run(home.tracker, "silent", "1").log_text(outcomes(3).as_text(), FILE)
    (reason,) = work.judge.fn("silent", version).decision.reasons
    assert "not known of the champion" in reason
    assert work.judge.fn("silent", version, rescored=outcomes()).decision.passed
    other = outcomes_under("p", ["elsewhere"], ["somebody"], [True])
    (reason,) = work.judge.fn("silent", version, rescored=other).decision.reasons
    assert "other probes" in reason


def test_a_champion_that_is_not_what_was_registered_gives_the_place_back(home: Workspace, told: list[dict[str, Any]]):
    crowned(home, "damaged", 1.0)
    judged = work.judge.fn("damaged", offered(home, "damaged", 2.0))
    damage(home, "damaged", "2")
    released = work.make_champion.fn(judged)
    assert (released.alias, released.promoted) == ("returned", False)
    assert "not what was registered" in released.reasons[0]
    assert aliases(home.tracker, "damaged") == {"champion": "1"}
    served = fetch_graph(home.tracker, find_version(home.tracker, "damaged", "@champion"))
    assert served == graph(1.0).SerializeToString()
    assert [event["event"].rpartition(".")[2] for event in told] == ["promoted", "returned"]
    assert ledger.history(home.engine, "damaged")[-1].reason == released.reasons[0]
    assert work.settle.fn("damaged") == ()


def test_a_first_champion_that_does_not_answer_leaves_the_place_empty(home: Workspace, told: list[dict[str, Any]]):
    judged = work.judge.fn("empty", offered(home, "empty", 1.0))
    damage(home, "empty", "1")
    assert not work.make_champion.fn(judged).promoted
    assert ledger.champion(home.engine, "empty")[1:3] == (None, None)
    assert aliases(home.tracker, "empty") == {}


def test_a_champion_that_answers_otherwise_than_when_it_was_registered_goes_back(
    home: Workspace, told: list[dict[str, Any]]
):
    crowned(home, "changed", 1.0)
    offered(home, "changed", 2.0)
    good = require_candidate(ledger.history(home.engine, "changed"), "changed", "2")
    version = version_of(home.tracker, 3.0, model="changed")
    release_run(home.tracker, "changed", version.version).log_text(outcomes().as_text(), FILE)
    enter(
        home.engine,
        type(good)(**{**vars(good), "version": version.version, "sha256": version.sha256}),
    )
    released = work.make_champion.fn(work.judge.fn("changed", version.version))
    assert not released.promoted
    assert "away from what it said when it was registered" in released.reasons[0]
    assert ledger.champion(home.engine, "changed").version == "1"


def test_what_a_crash_left_unasked_is_asked_at_the_next_start_and_told_once(
    home: Workspace, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    judged = work.judge.fn("crash", offered(home, "crash", 1.0))

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as crash, pytest.raises(Killed):
        crash.setattr(ledger, "confirm", killed)
        work.make_champion.fn(judged)
    assert actions(home, "crash") == ["candidate", "promote"]
    assert work.settle.fn("crash") == ()
    assert actions(home, "crash") == ["candidate", "promote", "confirm"]
    assert len(told) == 2
    assert told[0]["id"] == told[1]["id"], "whoever listens can tell that it is one event"
    work.settle.fn("crash")
    assert len(told) == 2


def test_with_mlflow_away_the_decision_stands_and_is_seen_through_later(
    home: Workspace, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    judged = work.judge.fn("away", offered(home, "away", 1.0))

    def down(*_: object) -> None:
        raise OSError("connection refused")

    with monkeypatch.context() as outage:
        outage.setattr(home.tracker.client, "set_registered_model_alias", down)
        assert work.make_champion.fn(judged).promoted
        with pytest.raises(TrackingError):
            work.settle.fn("away")
    assert told == []
    assert work.settle.fn("away") == ("away@champion: nothing -> 1", "away@challenger: 1 -> nothing")
    assert actions(home, "away")[-1] == "confirm"
    assert len(told) == 1


def test_what_mlflow_could_not_be_told_is_told_before_anything_is_judged_or_nothing_is(
    home: Workspace, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    offered(home, "waiting", 1.0)
    asked: list[str] = []

    def away() -> int:
        asked.append("reconcile")
        raise TrackingUnavailable("MLflow does not answer")

    monkeypatch.setattr(home.tracker, "reconcile", away)

    def plainly(task: Any, *given: Any, **named: Any) -> Any:
        return task.fn(*given, **named)

    monkeypatch.setattr(Task, "__call__", plainly)
    with pytest.raises(TrackingUnavailable):
        promote_flow.promote.fn(PromoteRequest(model="waiting", actor="Ada"))
    with pytest.raises(TrackingUnavailable):
        promote_flow.rollback.fn(RollbackRequest(model="waiting", reason="why", actor="Ada"))
    assert asked == ["reconcile"] * 2
    assert actions(home, "waiting") == ["candidate"]
    assert told == []


def test_a_rollback_puts_the_previous_champion_back_unless_that_does_not_answer(
    home: Workspace, told: list[dict[str, Any]]
):
    crowned(home, "back", 1.0)
    crowned(home, "back", 2.0)
    assert work.put_back.fn("back", "Ada", "worse in the field") == ("back", "1", "champion", True, ())
    assert told[-1]["event"] == "trinormal.champion.rolled-back"
    assert aliases(home.tracker, "back") == {"champion": "1", "previous": "2"}
    damage(home, "back", "2")
    kept = work.put_back.fn("back", "Ada", "again")
    assert (kept.version, kept.alias, kept.promoted) == ("2", "returned", False)
    assert ledger.champion(home.engine, "back")[1:3] == ("1", "2")


def test_a_rollback_that_was_broken_off_is_known(home: Workspace, told: list[dict[str, Any]]):
    crowned(home, "broken", 1.0)
    crowned(home, "broken", 2.0)
    assert work.interrupted_rollback("broken") is None
    promotion.roll_back(home.engine, home.tracker, "broken", 2, "worse", "Ada")
    begun = work.interrupted_rollback("broken")
    assert begun is not None
    assert begun.version == "1"
    work.settle.fn("broken")
    assert work.interrupted_rollback("broken") is None


def test_who_comes_too_late_is_told_and_noted(home: Workspace, told: list[dict[str, Any]]):
    first, second = (work.judge.fn("race", offered(home, "race", scale)) for scale in (1.0, 2.0))
    assert work.make_champion.fn(second).promoted
    late = work.make_champion.fn(first)
    assert (late.alias, late.promoted) == ("challenger", False)
    assert "another promotion was faster" in late.reasons[0]
    assert ledger.history(home.engine, "race")[-1][1:3] == ("refuse", "1")


def test_what_cannot_be_judged_is_told_in_one_line(home: Workspace, told: list[dict[str, Any]]):
    with pytest.raises(RegistryError, match="no challenger"):
        work.judge.fn("nobody", "")
    crowned(home, "known", 1.0)
    with pytest.raises(RegistryError, match="is the champion already"):
        work.judge.fn("known", "1")
    with pytest.raises(RegistryError, match="knows no candidate known version 9"):
        work.judge.fn("known", "9")
    assert work.standing("known", "1") == ("known", "1", "champion", True, ())
    assert work.standing("known", "2") is None


def test_outcomes_read_back_and_name_nobody():
    written = outcomes(2)
    again = read_outcomes(written.as_text())
    assert (again.protocol, again.probes, again.subjects) == written[:3]
    np.testing.assert_array_equal(again.hits, written.hits)
    assert "anna" not in written.as_text()
    assert "scan" not in written.as_text()
    assert len(set(written.subjects)) == PEOPLE
    assert outcomes_under("q", ["scan-0-0"], ["anna-0"], [True]).probes[0] != written.probes[0]

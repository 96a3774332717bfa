from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from sqlalchemy import Engine, text

from infra.database import writing
from registry import ledger
from registry.candidates import find_candidate, require_candidate
from registry.errors import RegistryError, TrackingError
from registry.ledger import Champion
from registry.mirror import reconcile
from registry.packaging import PROTOCOL, fetch_graph, find_version, register
from registry.promotion import Comparison, give_back, note_answer, note_judgement, promote, roll_back
from registry.tracking import Tracker
from tests.registry.promotions import EQUAL, MODEL, aliases, candidate_of, graph, judged, version_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def test_a_registered_graph_is_served_by_mlflow_and_registering_it_again_makes_no_second_version(tracker: Tracker):
    version = version_of(tracker, 2.0)
    assert version_of(tracker, 2.0) == version
    found = find_version(tracker, "trinormal", version.version)
    assert (found.version, found.tags["rank1"], found.tags[PROTOCOL]) == ("1", "0.95", "p")
    assert fetch_graph(tracker, found) == graph(2.0).SerializeToString()
    shown = tracker.client.get_model_version("trinormal", "1")
    assert shown.description == "# It"

    import mlflow

    mlflow.set_tracking_uri(tracker.tracking_uri)
    served = mlflow.pyfunc.load_model("models:/trinormal/1")
    assert [spec.name for spec in served.metadata.signature.inputs] == ["nx", "ny"]
    halves = {"nx": np.ones((3, 4), np.float32), "ny": np.full((3, 4), 0.5, np.float32)}
    np.testing.assert_allclose(served.predict(halves)["embedding"], np.full((3, 4), 3.0), atol=1e-6)


def test_one_key_stands_for_one_model(tracker: Tracker):
    version_of(tracker, 2.0)
    run = tracker.run("faces", "train", "run-2.0")
    with pytest.raises(RegistryError, match="other bytes"):
        register(tracker, run, "trinormal", graph(3.0).SerializeToString(), "key-2.0", tags={}, card="")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x80\x04cposix\nsystem\n", "ONNX graph"),
        (graph(1.0, TensorProto.EXTERNAL).SerializeToString(), "other files"),
        (graph(1.0).SerializeToString()[:60], "ONNX graph"),
    ],
)
def test_what_is_not_one_whole_graph_is_refused(tracker: Tracker, raw: bytes, reason: str):
    run = tracker.run("faces", "train", "k")
    with pytest.raises(RegistryError, match=reason):
        register(tracker, run, "trinormal", raw, "k", tags={}, card="")


def test_a_graph_changed_in_the_artefact_folder_is_not_served(tracker: Tracker, tmp_path: Path):
    version = version_of(tracker, 2.0)
    (stored,) = (tmp_path / "artifacts").rglob("model.onnx")
    stored.write_bytes(graph(9.0).SerializeToString())
    with pytest.raises(RegistryError, match="do not serve"):
        fetch_graph(tracker, version)


def test_a_version_that_is_not_there_is_told_with_those_that_are(tracker: Tracker):
    with pytest.raises(TrackingError, match=r"no model 'trinormal' in MLflow at .*: have none$"):
        find_version(tracker, MODEL, "1")
    for scale in (1.0, 2.0):
        version_of(tracker, scale)
    tracker.client.set_registered_model_alias(MODEL, "champion", "2")
    for wanted in ("3", "@previous"):
        with pytest.raises(TrackingError, match=f"^trinormal has no version {wanted}: have 1, 2, @champion$"):
            find_version(tracker, MODEL, wanted)
    with pytest.raises(TrackingError, match=r"no model 'ears' in MLflow at .*: have trinormal$"):
        find_version(tracker, "ears", "@champion")


def test_the_way_from_challenger_to_champion_and_back(engine: Engine, tracker: Tracker):
    first, second, third = (candidate_of(engine, version_of(tracker, scale)) for scale in (1.0, 2.0, 3.0))
    reconcile(engine, tracker, MODEL)
    assert aliases(tracker) == {"challenger": "3"}
    moved = promote(engine, tracker, judged(engine, tracker, first))
    assert moved == (True, Champion(MODEL, "1", None, 1), True)
    assert aliases(tracker) == {"champion": "1", "challenger": "3"}

    early = judged(engine, tracker, third)
    assert promote(engine, tracker, judged(engine, tracker, second)).moved
    late = promote(engine, tracker, early)
    assert (late.moved, late.champion.version) == (False, "2")
    assert aliases(tracker) == {"champion": "2", "previous": "1", "challenger": "3"}

    assert roll_back(engine, tracker, MODEL, 2, "worse in the field").moved
    assert aliases(tracker) == {"champion": "1", "previous": "2", "challenger": "3"}
    assert fetch_graph(tracker, find_version(tracker, MODEL, "@champion")) == graph(1.0).SerializeToString()
    assert promote(engine, tracker, judged(engine, tracker, third)).moved
    assert aliases(tracker) == {"champion": "3", "previous": "1"}
    assert give_back(engine, tracker, MODEL, 4, "does not answer").moved
    assert aliases(tracker) == {"champion": "1", "previous": "2"}
    actions = [entry.action for entry in ledger.history(engine, MODEL)]
    assert actions == [*["candidate"] * 3, "promote", "promote", "roll back", "promote", "return"]


def test_a_verdict_says_what_spoke_against_it_and_is_kept(engine: Engine, tracker: Tracker):
    promote(engine, tracker, judged(engine, tracker, candidate_of(engine, version_of(tracker, 1.0))))
    weak = judged(engine, tracker, candidate_of(engine, version_of(tracker, 2.0), rank1=0.85))
    assert weak.decision.reasons == ("rank1 is 0.85, below 0.9",)
    note_judgement(engine, weak, "Ada", "to see")
    kept = ledger.history(engine, MODEL)[-1]
    assert (kept.action, kept.actor, kept.reason, kept.decision["against"]) == ("refuse", "Ada", "to see", "1")
    assert kept.decision["checks"][0] == {
        "metric": "rank1",
        "value": 0.85,
        "reason": "rank1 is 0.85, below 0.9",
        "bound": "at least 0.9",
    }
    with pytest.raises(RegistryError, match="did not pass"):
        promote(engine, tracker, weak)
    assert ledger.champion(engine, MODEL).version == "1"


@pytest.mark.parametrize(
    ("comparison", "reason"),
    [
        (Comparison({**EQUAL.metrics, "versus_champion_low": -0.04}), "versus_champion_low is -0.04, below -0.03"),
        (Comparison({**EQUAL.metrics, "p_worse": 0.01}), "p_worse is 0.01, below 0.05"),
        (Comparison({"p_worse": 0.5}), "versus_champion_low is missing"),
        (Comparison({}, ("other probes",)), "other probes"),
        (Comparison({}), "was not compared with the champion"),
        (Comparison(EQUAL.metrics, protocol="q"), "another protocol"),
    ],
)
def test_a_candidate_that_may_be_worse_than_the_champion_is_refused(
    engine: Engine, tracker: Tracker, comparison: Comparison, reason: str
):
    promote(engine, tracker, judged(engine, tracker, candidate_of(engine, version_of(tracker, 1.0))))
    second = candidate_of(engine, version_of(tracker, 2.0))
    assert judged(engine, tracker, second).decision.passed
    (found,) = judged(engine, tracker, second, comparison).decision.reasons
    assert reason in found


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lineage": "e" * 64}, "lineage is not complete"),
        ({"licences": frozenset({"research-only"})}, "derived from research-only"),
        ({"protocol": ""}, "protocol is not known"),
        ({"metrics": {"rank1": float("nan")}}, "rank1 is nan"),
        ({"sha256": "c" * 64}, "another graph"),
    ],
)
def test_a_candidate_is_judged_by_what_the_ledger_says_of_it(
    engine: Engine, tracker: Tracker, change: dict[str, object], reason: str
):
    candidate_of(engine, version_of(tracker, 1.0), **change)
    kept = require_candidate(ledger.history(engine, MODEL), MODEL, "1")
    (found,) = judged(engine, tracker, kept).decision.reasons
    assert reason in found


def test_a_champion_under_another_protocol_is_no_measure_until_it_is_scored_again(engine: Engine, tracker: Tracker):
    promote(engine, tracker, judged(engine, tracker, candidate_of(engine, version_of(tracker, 1.0))))
    other = candidate_of(engine, version_of(tracker, 2.0, protocol="q"))
    (found,) = judged(engine, tracker, other).decision.reasons
    assert "another protocol" in found
    assert judged(engine, tracker, other, EQUAL._replace(protocol="q")).decision.passed


def test_who_needs_an_approval_is_promoted_only_with_one(engine: Engine, tracker: Tracker):
    found = judged(engine, tracker, candidate_of(engine, version_of(tracker, 1.0), needs_approval=True))
    with pytest.raises(RegistryError, match="needs an approval"):
        promote(engine, tracker, found)
    note_answer(engine, found, True, "Ada", "looked at it")
    note_answer(engine, found, False, "Grace", "looked closer")
    with pytest.raises(RegistryError, match="needs an approval"):
        promote(engine, tracker, found)
    note_answer(engine, found, True, "Grace", "mended")
    assert promote(engine, tracker, found).moved


def test_an_approval_does_not_outlive_the_champion_it_was_given_beside(engine: Engine, tracker: Tracker):
    asks = candidate_of(engine, version_of(tracker, 1.0), needs_approval=True)
    note_answer(engine, judged(engine, tracker, asks), True, "Ada", "looked at it")
    assert promote(engine, tracker, judged(engine, tracker, candidate_of(engine, version_of(tracker, 2.0)))).moved
    with pytest.raises(RegistryError, match="needs an approval"):
        promote(engine, tracker, judged(engine, tracker, asks))


def test_a_candidate_reads_back_as_it_was_written(engine: Engine, tracker: Tracker):
    written = candidate_of(engine, version_of(tracker, 1.0), outcomes="d" * 64, answers={"embedding": [0.25, -1.0]})
    assert find_candidate(ledger.history(engine, MODEL), MODEL, "1") == written
    with pytest.raises(RegistryError, match="knows no candidate trinormal version 7"):
        require_candidate(ledger.history(engine, MODEL), MODEL, "7")


def test_aliases_that_were_moved_by_hand_are_repaired_from_the_ledger(engine: Engine, tracker: Tracker):
    first, _ = (candidate_of(engine, version_of(tracker, scale)) for scale in (1.0, 2.0))
    promote(engine, tracker, judged(engine, tracker, first))
    tracker.client.set_registered_model_alias(MODEL, "champion", "2")
    tracker.client.set_registered_model_alias(MODEL, "previous", "2")
    tracker.client.delete_registered_model_alias(MODEL, "challenger")
    assert reconcile(engine, tracker, MODEL) == (
        "trinormal@champion: 2 -> 1",
        "trinormal@previous: 2 -> nothing",
        "trinormal@challenger: nothing -> 2",
    )
    assert aliases(tracker) == {"champion": "1", "challenger": "2"}
    assert reconcile(engine, tracker, MODEL) == ()
    assert reconcile(engine, tracker, "unheard-of") == ()


def test_the_gate_stays_closed_while_mlflow_is_away(
    engine: Engine, tracker: Tracker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    candidate = candidate_of(engine, version_of(tracker, 1.0))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError):
        judged(engine, Tracker("http://127.0.0.1:1", tmp_path), candidate)
    assert ledger.champion(engine, MODEL) == Champion(MODEL, None, None, 0)


def test_an_outage_after_the_decision_is_repaired_later(
    engine: Engine, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
):
    found = judged(engine, tracker, candidate_of(engine, version_of(tracker, 1.0)))

    def down(*_: object) -> None:
        raise OSError("connection refused")

    with monkeypatch.context() as outage:
        outage.setattr(tracker.client, "set_registered_model_alias", down)
        moved = promote(engine, tracker, found)
    assert (moved.moved, moved.mirrored) == (True, False)
    assert reconcile(engine, tracker, MODEL) == ("trinormal@champion: nothing -> 1",)


def test_whoever_mirrors_late_leaves_the_aliases_right(
    engine: Engine, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
):
    """While the first promotion is about to set its alias, a second one comes to its end."""
    first, second = (candidate_of(engine, version_of(tracker, scale)) for scale in (1.0, 2.0))
    set_alias, begun = tracker.client.set_registered_model_alias, []

    def slow(model: str, alias: str, version: str) -> None:
        if not begun:
            begun.append(alias)
            promote(engine, tracker, judged(engine, tracker, second))
        set_alias(model, alias, version)

    found = judged(engine, tracker, first)
    monkeypatch.setattr(tracker.client, "set_registered_model_alias", slow)
    assert promote(engine, tracker, found).moved
    assert ledger.champion(engine, MODEL)[1:] == ("2", "1", 2)
    assert aliases(tracker) == {"champion": "2", "previous": "1"}


def test_aliases_are_not_repaired_from_a_ledger_that_was_tampered_with(engine: Engine, tracker: Tracker):
    promote(engine, tracker, judged(engine, tracker, candidate_of(engine, version_of(tracker, 1.0))))
    with writing(engine) as session:
        session.execute(text("UPDATE champion SET version = '2'"))
    with pytest.raises(RegistryError, match="altered"):
        reconcile(engine, tracker, MODEL)

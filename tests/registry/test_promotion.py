from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sqlalchemy import Engine, text

from infra.database import writing
from registry import ledger
from registry.errors import RegistryError, TrackingError
from registry.gates import Evidence, Gate
from registry.ledger import Champion
from registry.packaging import PROTOCOL, ModelVersion, fetch_graph, find_version, register
from registry.promotion import promote_if_passes, reconcile, register_challenger, roll_back
from registry.tracking import Tracker

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
GATES = (Gate("rank1", at_least=0.9),)


def graph(scale: float, location: int = TensorProto.DEFAULT) -> onnx.ModelProto:
    """y = scale * (nx + ny), the batch left free."""
    weight = numpy_helper.from_array(np.float32([scale]), "scale")
    weight.data_location = location
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4]) for name in ("nx", "ny")]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 4])
    nodes = [helper.make_node("Add", ["nx", "ny"], ["sum"]), helper.make_node("Mul", ["sum", "scale"], ["embedding"])]
    body = helper.make_graph(nodes, "tiny", sides, [output], [weight])
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def version_of(tracker: Tracker, scale: float, protocol: str = "p") -> ModelVersion:
    run = tracker.run("faces", "train", f"run-{scale}")
    tags = {PROTOCOL: protocol, "rank1": "0.95"}
    return register(tracker, run, "trinormal", graph(scale).SerializeToString(), f"key-{scale}", tags=tags, card="# It")


def evidence(rank1: float, protocol: str = "p") -> Evidence:
    return Evidence({"rank1": rank1}, protocol, frozenset({"CC0-1.0"}), lineage_complete=True)


def aliases(tracker: Tracker) -> dict[str, str]:
    return {name: str(number) for name, number in tracker.client.get_registered_model("trinormal").aliases.items()}


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


def test_the_way_from_challenger_to_champion_and_back(engine: Engine, tracker: Tracker):
    first, second, third = (version_of(tracker, scale) for scale in (1.0, 2.0, 3.0))
    register_challenger(tracker, first)
    assert aliases(tracker) == {"challenger": "1"}
    outcome = promote_if_passes(engine, tracker, first, evidence(0.95), GATES, 0)
    assert (outcome.promoted, outcome.mirrored) == (True, True)
    assert aliases(tracker) == {"champion": "1"}

    assert not promote_if_passes(engine, tracker, second, evidence(0.85), GATES, 1).promoted
    other = promote_if_passes(engine, tracker, second, evidence(0.95, protocol="q"), GATES, 1)
    assert "another protocol" in other.decision.reasons[0]
    assert promote_if_passes(engine, tracker, second, evidence(0.96), GATES, 1).promoted
    late = promote_if_passes(engine, tracker, third, evidence(0.99), GATES, 1)
    assert (late.promoted, late.champion.version) == (False, "2")
    assert aliases(tracker) == {"champion": "2", "previous": "1"}

    assert roll_back(engine, tracker, "trinormal", 2, "worse in the field")
    assert aliases(tracker) == {"champion": "1", "previous": "2"}
    assert fetch_graph(tracker, find_version(tracker, "trinormal", "@champion")) == graph(1.0).SerializeToString()
    actions = [entry.action for entry in ledger.history(engine, "trinormal")]
    assert actions == ["promote", "refuse", "refuse", "promote", "roll back"]


def test_aliases_that_were_moved_by_hand_are_repaired_from_the_ledger(engine: Engine, tracker: Tracker):
    first, second = version_of(tracker, 1.0), version_of(tracker, 2.0)
    promote_if_passes(engine, tracker, first, evidence(0.95), GATES, 0)
    register_challenger(tracker, second)
    tracker.client.set_registered_model_alias("trinormal", "champion", "2")
    tracker.client.set_registered_model_alias("trinormal", "previous", "2")
    repaired = reconcile(engine, tracker, "trinormal")
    assert repaired == ("trinormal@champion: 2 -> 1", "trinormal@previous: 2 -> nothing")
    assert aliases(tracker) == {"champion": "1", "challenger": "2"}
    assert reconcile(engine, tracker, "trinormal") == ()


def test_the_gate_stays_closed_while_mlflow_is_away(
    engine: Engine, tracker: Tracker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    version = version_of(tracker, 1.0)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError):
        promote_if_passes(engine, Tracker("http://127.0.0.1:1", tmp_path), version, evidence(0.95), GATES, 0)
    assert ledger.champion(engine, "trinormal") == Champion("trinormal", None, None, 0)


def test_an_outage_after_the_decision_is_repaired_later(
    engine: Engine, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
):
    version = version_of(tracker, 1.0)

    def down(*_: object) -> None:
        raise OSError("connection refused")

    with monkeypatch.context() as outage:
        outage.setattr(tracker.client, "set_registered_model_alias", down)
        outcome = promote_if_passes(engine, tracker, version, evidence(0.95), GATES, 0)
    assert (outcome.promoted, outcome.mirrored) == (True, False)
    assert reconcile(engine, tracker, "trinormal") == ("trinormal@champion: nothing -> 1",)


def test_aliases_are_not_repaired_from_a_ledger_that_was_tampered_with(engine: Engine, tracker: Tracker):
    version_of(tracker, 1.0)
    promote_if_passes(engine, tracker, version_of(tracker, 1.0), evidence(0.95), GATES, 0)
    with writing(engine) as session:
        session.execute(text("UPDATE champion SET version = '2'"))
    with pytest.raises(RegistryError, match="altered"):
        reconcile(engine, tracker, "trinormal")

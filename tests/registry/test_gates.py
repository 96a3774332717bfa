import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.gates import Decision, Evidence, Gate, judge, obstacles

RANK1 = Gate("rank1", at_least=0.9)
LATENCY = Gate("latency_ms", at_most=50)


@given(st.dictionaries(st.sampled_from(["rank1", "latency_ms", "other"]), st.floats()))
def test_a_model_passes_only_when_every_gate_has_a_finite_value_inside_its_bounds(metrics: dict[str, float]):
    rank1, latency = metrics.get("rank1", math.nan), metrics.get("latency_ms", math.nan)
    inside = rank1 >= 0.9 and not math.isinf(rank1) and latency <= 50 and not math.isinf(latency)
    decision = judge(metrics, [RANK1, LATENCY])
    assert decision.passed == inside
    assert decision.passed == (decision.reasons == ())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_fails_and_still_fits_into_json(value: float):
    decision = judge({"rank1": value}, [RANK1])
    assert not decision.passed
    assert json.loads(json.dumps(decision.as_data(), allow_nan=False))["checks"][0]["value"] is None


def test_a_missing_metric_fails_by_name():
    assert judge({"latency_ms": 3.0}, [RANK1, LATENCY]).reasons == ("rank1 is missing",)


def test_bounds_are_inclusive():
    assert judge({"rank1": 0.9, "latency_ms": 50.0}, [RANK1, LATENCY]) == Decision(
        True, (), judge({"rank1": 0.9, "latency_ms": 50.0}, [RANK1, LATENCY]).checks
    )


def test_no_gates_pass_nothing():
    assert not judge({"rank1": 1.0}, []).passed


def test_an_obstacle_fails_a_model_whatever_its_metrics():
    assert judge({"rank1": 1.0}, [RANK1], ["no lineage"]).reasons == ("no lineage",)


@pytest.mark.parametrize("bounds", [{}, {"at_least": math.nan}, {"at_most": math.inf}])
def test_a_gate_without_a_finite_bound_is_refused(bounds: dict[str, float]):
    with pytest.raises(ValueError, match="finite"):
        Gate("rank1", **bounds)


GOOD = {"metrics": {}, "protocol": "p", "licences": frozenset({"CC0-1.0"}), "lineage_complete": True}


@pytest.mark.parametrize(
    ("change", "champion", "reason"),
    [
        ({}, "other", "another protocol"),
        ({"protocol": ""}, None, "protocol is not known"),
        ({"lineage_complete": False}, "p", "lineage"),
        ({"licences": frozenset()}, "p", "licence of its data is not known"),
        ({"licences": frozenset({"CC0-1.0", "research-only"})}, "p", "derived from research-only"),
    ],
)
def test_each_obstacle_is_named(change: dict[str, object], champion: str | None, reason: str):
    (found,) = obstacles(Evidence(**(GOOD | change)), champion)  # type: ignore[arg-type]
    assert reason in found


def test_a_licence_override_with_its_reason_lets_a_restricted_model_through():
    candidate = Evidence({}, "p", frozenset({"research-only"}), True, licence_override="demo in the laboratory")
    assert obstacles(candidate, "p") == ()
    assert obstacles(candidate, None) == ()


def test_a_check_says_what_was_asked_for():
    (rank1, latency) = judge({"rank1": 0.95, "latency_ms": 70.0}, [RANK1, LATENCY]).checks
    assert (rank1.bound, rank1.reason) == ("at least 0.9", "")
    assert (latency.bound, latency.reason) == ("at most 50", "latency_ms is 70, above 50")
    assert Gate("share", at_least=0.25, at_most=0.5).bound == "at least 0.25, at most 0.5"

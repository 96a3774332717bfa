"""Every night: is the champion still as good, does new data look as expected, is there a better challenger?"""

from typing import Any

from prefect import flow

from flows.evaluate_all import evaluate_everything
from flows.parameters import NightlyRequest
from infra.profiles import load_profile
from models.errors import BrokenVersion
from tasks import policies
from tasks.champion import open_champion
from tasks.contenders import own_photos_of
from tasks.drift import Drift, judge_drift
from tasks.drops import falls_of
from tasks.evaluation_results import Evaluated
from tasks.looks import look_at_benchmark
from tasks.night_data import Checked, check_snapshot, drifts_of
from tasks.night_report import raise_alarms, raise_broken, report_night, retraining_of
from tasks.night_runs import fail_night, open_night

GATE = "bu3dfe"
"""The benchmark that the gate of a promotion looks at: what its scans are like, the champion's figures hold for."""


@flow(name="nightly", **policies.WORK)
def nightly(request: NightlyRequest) -> dict[str, Any]:
    """Evaluate, judge, check and report; tells Prefect of a champion that has become worse and of data that drifts."""
    profile = load_profile(request.profile)
    night = open_night(request.model or profile.model_name, profile.name)
    try:
        evaluated = evaluate_everything(profile, night.model)
        falls = falls_of(evaluated, night.history, request.regression_level, request.smallest_drop)
        checked = [check_snapshot(snapshot) for snapshot in night.fresh]
        drifts = judge_drift(_drifts(evaluated, checked), request.drift_level)
        told = report_night(night, evaluated, falls, checked, drifts)
    except Exception as error:
        fail_night(night, f"{type(error).__name__}: {error}")
        if isinstance(error, BrokenVersion):
            raise_broken(night, str(error), _retraining(request.profile, night.model))
        raise
    raise_alarms(told, _retraining(request.profile, night.model))
    return told


def _retraining(profile: str, model: str) -> dict[str, Any]:
    return retraining_of(profile, own_photos_of(open_champion(model)))


def _drifts(evaluated: Evaluated, checked: list[Checked]) -> list[Drift]:
    gate, champion = evaluated.entries[GATE], evaluated.asked.versions["champion"]
    assert gate.embedded is not None  # noqa: S101 - simulated benchmarks are never left out
    return drifts_of(champion, checked, look_at_benchmark(gate.embedded, gate.protocol), gate.data)

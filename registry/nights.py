"""The nights of a model: what each nightly evaluation found, read back from its run in MLflow."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from registry.reported import Reported, finished_runs, json_of
from registry.tracking import Tracker

EXPERIMENT = "nightly"
WHEN, CHAMPION, REGRESSED = "night", "champion", "regressed"
_PROTOCOL, _ASSESSMENT = "protocol.", "assessment."


class Night(NamedTuple):
    """One finished night; `version` is who served then, `regressed` the benchmarks on which it had become worse."""

    run_id: str
    when: datetime
    version: str
    regressed: tuple[str, ...]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]

    def fused(self, benchmark: str) -> float | None:
        """Rank-1 of the champion on a benchmark, where it was measured."""
        return self.metrics.get(f"{benchmark}.fused")

    def assessment(self, benchmark: str, protocol: str) -> str | None:
        """The key of what was measured on a benchmark; None where that was another protocol."""
        same = self.tags.get(_PROTOCOL + benchmark) == protocol
        return self.tags.get(_ASSESSMENT + benchmark) if same else None


def tags_of(benchmark: str, protocol: str, assessment: str) -> dict[str, str]:
    """What a night's run says of a benchmark, for later nights."""
    return {_PROTOCOL + benchmark: protocol, _ASSESSMENT + benchmark: assessment}


def nights(tracker: Tracker, model: str, profile: str) -> list[Night]:
    """All finished nights of a model on the benchmarks of a profile, the oldest first."""
    found = finished_runs(tracker, EXPERIMENT, {"model": model, "profile": profile})
    return sorted((_night(run) for run in found if WHEN in run.tags), key=lambda night: night.when)


def seen_snapshots(tracker: Tracker, night: Night) -> frozenset[str]:
    """The ids of the snapshots that were in the catalogue on that night."""
    told: Any = json_of(tracker, night.run_id, "night.json")
    return frozenset(told["snapshots"]) if told is not None else frozenset()


def _night(run: Reported) -> Night:
    regressed = tuple(name for name in run.tags.get(REGRESSED, "").split(",") if name)
    when = datetime.fromisoformat(run.tags[WHEN])
    return Night(run.run_id, when, run.tags.get(CHAMPION, ""), regressed, run.metrics, run.tags)

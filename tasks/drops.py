"""Has the champion become worse? Against the best that served on the same benchmark on any earlier night."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from infra.store import Artefact
from models.metrics.regression import Difference, Drop, judge_drops
from registry.nights import CHAMPION, Night
from tasks.assess import compare_versions
from tasks.evaluation_results import Entry, Evaluated
from tasks.wiring import open_workspace

PREVIOUS = "previous"


class Reference(NamedTuple):
    """What the champion of tonight is held against: a version's assessment under the same protocol."""

    told: str
    fused: float
    artefact: Artefact


class Fall(NamedTuple):
    """The champion against its reference on one benchmark; `paired` is of `Paired` as data."""

    reference: str
    paired: dict[str, Any]
    drop: Drop

    def as_data(self) -> dict[str, Any]:
        """All of it for JSON."""
        difference = self.paired["difference"]
        interval = {"low": difference["low"], "high": difference["high"]}
        return {"reference": self.reference, **interval, **self.drop._asdict()}


def falls_of(evaluated: Evaluated, history: Sequence[Night], level: float, smallest: float) -> dict[str, Fall]:
    """By benchmark, wherever there is something to hold the champion against."""
    paired: dict[str, tuple[Reference, dict[str, Any]]] = {}
    for name, entry in evaluated.entries.items():
        reference = reference_of(name, entry, history)
        if reference is not None:
            now = entry.assessed[CHAMPION].artefact
            paired[name] = reference, compare_versions(now, reference.artefact, evaluated.profile.seed)
    differences = {
        name: Difference(pair["difference"]["value"], pair["clustered_p"]) for name, (_, pair) in paired.items()
    }
    drops = judge_drops(differences, level, smallest)
    return {name: Fall(reference.told, pair, drops[name]) for name, (reference, pair) in paired.items()}


def reference_of(name: str, entry: Entry, history: Sequence[Night]) -> Reference | None:
    """The highest rank-1 of any night under tonight's protocol and of the champion before; of equals the earliest.

    None where there is nothing else than what serves tonight.
    """
    now = entry.assessed[CHAMPION].artefact
    found = [each for night in history if (each := _on(night, name, entry)) is not None]
    if PREVIOUS in entry.assessed:
        before = entry.assessed[PREVIOUS]
        found.append(Reference(f"version {before.version}, the champion before", before.scores.fused, before.artefact))
    others = [each for each in found if each.artefact.key != now.key]
    return max(others, key=lambda each: each.fused, default=None)


def _on(night: Night, name: str, entry: Entry) -> Reference | None:
    """What served on an earlier night, if its outcomes are still in the store."""
    key, fused = night.assessment(name, entry.protocol.hash()), night.fused(name)
    if key is None or fused is None:
        return None
    made = open_workspace().store.lookup("assessment", key)
    told = f"version {night.version}, night of {night.when:%Y-%m-%d}"
    return None if made is None else Reference(told, fused, made)

"""What is new in the catalogue since the last night: held against its suites, and compared with what is known."""

from pathlib import Path
from typing import NamedTuple

from prefect import task

from infra.errors import InfrastructureError
from models.errors import TrinormalError
from registry.manifest import Snapshot
from tasks import policies
from tasks.champion import Champion
from tasks.drift import Drift, measure_drift
from tasks.judges import judge
from tasks.looks import Look, look_at_photos, look_at_scans
from tasks.origins import origin_of
from tasks.wiring import open_workspace


class Checked(NamedTuple):
    """A snapshot that was not there on the night before, and what its suites say."""

    snapshot: Snapshot
    passed: bool
    reason: str
    page: str


@task(name="check new snapshot", **policies.CHECK)
def check_snapshot(snapshot: Snapshot) -> Checked:
    """Hold a snapshot against its suites; one whose files are gone does not pass."""
    try:
        verdict = judge(open_workspace(), snapshot)
    except (TrinormalError, InfrastructureError, FileNotFoundError) as error:
        return Checked(snapshot, False, str(error), "")
    return Checked(snapshot, verdict.passed, verdict.reason, str(verdict.page))


def drifts_of(version: Champion, fresh: list[Checked], gate: Look, against: str) -> list[Drift]:
    """Photos against the version's training photos, scans against `gate`, those that it was last measured on.

    Training never sees a scan, so that every scan differs from it; what matters is whether new scans are like the
    ones that the figures hold for. What cannot be looked at is told.
    """
    usable = [each.snapshot for each in fresh if each.passed]
    return [_drift_of(version, snapshot, gate, against) for snapshot in usable]


def _drift_of(version: Champion, snapshot: Snapshot, gate: Look, against: str) -> Drift:
    try:
        if snapshot.kind == "scan":
            look = look_at_scans(version, snapshot, Path(snapshot.source))
            return measure_drift(snapshot.name, snapshot.id, against, look, gate)
        origin = origin_of(version)
        if origin.snapshot.id == snapshot.id:
            return Drift(snapshot.name, snapshot.id, "itself", {}, ("the champion learnt from it",))
        known = look_at_photos(version, origin, origin.snapshot, origin.root)
        look = look_at_photos(version, origin, snapshot, Path(snapshot.source))
        return measure_drift(snapshot.name, snapshot.id, origin.snapshot.name, look, known)
    except (TrinormalError, InfrastructureError) as error:
        return Drift(snapshot.name, snapshot.id, "", {}, (str(error),))

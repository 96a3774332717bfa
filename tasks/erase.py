"""Erase a person: from data, everything derived, catalogue, MLflow, caches, logs and gallery."""

from collections import Counter
from typing import Any

from models.errors import ArtefactError
from registry.erasure import record_erasure
from tasks.erasure_journal import Journal
from tasks.erasure_plan import Plan, begun_at, plan_erasure, require_one_person
from tasks.erasure_steps import STEPS, left_over, remove_outside
from tasks.wiring import Workspace, open_workspace

SHOWN = 5


def erase_person(
    person: str, data_set: str | None = None, *, outside: bool = False, dry_run: bool = False
) -> dict[str, Any]:
    """Erase somebody, or with `dry_run` say what that would be; the same again goes on where a kill stopped it.

    `person` is the subject as data sets name them, and the name in the gallery. Files outside the home folder are
    listed, and deleted only with `outside`. Networks trained on the person are named, not deleted. The record that
    stays names nobody. Raises `DataError` where several data sets know somebody of that name and none was chosen, and
    `ArtefactError` naming the files where a trace is left.
    """
    workspace = open_workspace()
    journal = Journal(workspace.settings)
    begun = journal.find(person)
    if begun is None:
        require_one_person(workspace, person, data_set)
    found = plan_erasure(workspace, person, data_set)
    plan = found if begun is None else begun.joined(found)
    if dry_run:
        return told_of(plan, _foreseen(plan, outside), done=False)
    if not plan.known():
        return told_of(plan, Counter(), done=False)
    journal.note(plan)
    told = _carry_out(workspace, plan, outside)
    kept = {"counts": told["counts"], "models": told["models"], "files_outside_left": len(told["files_outside"])}
    record_erasure(workspace.engine, plan.id, begun_at(plan), kept)
    journal.close(plan)
    return told


def told_of(plan: Plan, counts: Counter[str], *, done: bool) -> dict[str, Any]:
    """What the command prints; files outside are those that stay."""
    stay = [] if counts["files_outside"] else plan.outside
    return {
        "erasure": plan.id if done else None,
        "done": done,
        "counts": dict(sorted((name, number) for name, number in counts.items() if number)),
        "files_outside": stay,
        "models": [each._asdict() for each in plan.trained()],
    }


def _carry_out(workspace: Workspace, plan: Plan, outside: bool) -> dict[str, Any]:
    done: Counter[str] = Counter()
    for step in STEPS:
        done += step(workspace, plan)
    if outside:
        done["files_outside"] += remove_outside(workspace, plan)["files"]
    left = left_over(workspace, plan)
    if left.traces:
        count, some = len(left.traces), ", ".join(left.traces[:SHOWN])
        raise ArtefactError(
            f"traces are left in {count} files below {workspace.home} ({some}): remove them, then again"
        )
    return {**told_of(plan, done, done=True), "namesakes": left.namesakes}


def _foreseen(plan: Plan, outside: bool) -> Counter[str]:
    return Counter(
        keys_destroyed=int(plan.enrolled),
        snapshots_listed_anew=len(plan.snapshots),
        artefacts=len(plan.artefacts),
        files=len(plan.inside),
        files_outside=len(plan.outside) if outside else 0,
    )

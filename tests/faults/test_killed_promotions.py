"""A process killed at every commit of a promotion or rollback: afterwards ledger, MLflow and what is served agree."""

import signal
from pathlib import Path

import pytest

from tasks import promotion
from tests.faults.commit_points import is_ours
from tests.faults.promotion_homes import act, copied, forkserver, in_home, require_agreement

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.timeout(3600),
]
BEFORE_AND_AFTER = {"promote": ("1", "2"), "roll back": ("2", "1")}
FEW = 3


def places_of(template: Path, what: str, folder: Path) -> list[str]:
    """The commits of a run that nobody disturbs."""
    context = forkserver()
    answers = context.Queue()
    with copied(template, folder / "undisturbed") as workspace:
        process = context.Process(target=act, args=(workspace.home, what, -1, answers))
        process.start()
        places = answers.get(timeout=600)
        process.join()
        with pytest.MonkeyPatch.context() as patch:
            in_home(patch, workspace)
            assert require_agreement(workspace) == BEFORE_AND_AFTER[what][1]
            assert promotion.settle.fn("faces") == ()
    return places


def kill_at(template: Path, what: str, at: int, folder: Path) -> str:
    """Kill, settle, and hold ledger, MLflow and the served graph against each other; which version serves then."""
    context = forkserver()
    answers = context.Queue()  # held here: a process that has started no longer does
    with copied(template, folder / f"killed-{at}") as workspace, pytest.MonkeyPatch.context() as patch:
        process = context.Process(target=act, args=(workspace.home, what, at, answers))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        in_home(patch, workspace)
        promotion.settle.fn("faces")
        champion = require_agreement(workspace)
        assert promotion.settle.fn("faces") == ()
    assert champion in BEFORE_AND_AFTER[what]
    return str(champion)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["promote", "roll back"])
def test_killed_where_something_is_written_everything_agrees_after_settling(
    templates: dict[str, Path], what: str, tmp_path: Path
):
    places = places_of(templates[what], what, tmp_path)
    written = [at for at, place in enumerate(places) if is_ours(place)]
    assert len(written) >= 10
    chosen = sorted({written[0], written[1], *written[:: len(written) // FEW], written[-1]})
    served = [kill_at(templates[what], what, at, tmp_path) for at in chosen]
    assert set(served) == set(BEFORE_AND_AFTER[what]), "the first kill is before the decision, the last after it"


@pytest.mark.campaign
@pytest.mark.parametrize("what", ["promote", "roll back"])
def test_killed_at_every_commit_everything_agrees_after_settling(templates: dict[str, Path], what: str, tmp_path: Path):
    places = places_of(templates[what], what, tmp_path)
    served = {at: kill_at(templates[what], what, at, tmp_path) for at in range(len(places))}
    moved = [at for at, version in served.items() if version == BEFORE_AND_AFTER[what][1]]
    assert moved == list(range(moved[0], len(places))), "what is decided once stays decided"
    for at, place in enumerate(places):
        print(f"{what}: killed at {at:3d} {place:60s} -> version {served[at]} serves")
    bound = 1 - 0.05 ** (1 / len(places))
    print(f"{what}: {len(places)} kills, 0 violations, at 95 % at most {100 * bound:.1f} % of kills can break it")

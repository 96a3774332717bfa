"""Do new photos or scans look to the champion like those it was made from? Two tests of each kind of vector."""

from pathlib import Path
from typing import Any, NamedTuple

from prefect import task

from models.errors import DataError
from models.metrics.mmd import mmd_test
from models.metrics.multiplicity import holm
from models.metrics.people import standardised
from models.metrics.two_sample import classifier_test
from tasks import policies
from tasks.files import read_json, write_json
from tasks.looks import EMBEDDINGS, SEED, Look
from tasks.stages import make
from tasks.wiring import open_workspace

CODE = ["models.metrics.mmd", "models.metrics.two_sample", "tasks.looks"]
TESTS = ("mmd_p", "classifier_p")
PERMUTATIONS = 1999


class Drift(NamedTuple):
    """One collection against one reference: figures by kind of vector, and what could not be tested and why.

    Figures: `mmd2`, `mmd_p`, `auc`, `classifier_p`; those of a night also `adjusted_p`, over all of its tests.
    """

    about: str
    snapshot: str
    against: str
    figures: dict[str, dict[str, float]]
    missing: tuple[str, ...] = ()
    drifted: bool = False

    def metrics(self) -> dict[str, float]:
        """The same by the names of a night's metrics."""
        name = f"drift.{self.snapshot[:12]}"
        return {f"{name}.{kind}.{each}": value for kind, one in self.figures.items() for each, value in one.items()}


@task(name="measure drift", **policies.STAGE)
def measure_drift(about: str, snapshot: str, against: str, fresh: Look, known: Look) -> Drift:
    """Kernel and classifier on coefficients (each by its spread) and embeddings, people as the units."""

    def build(folder: Path, _: Path) -> None:
        write_json(folder / "drift.json", _compared(fresh, known))

    counts = {"fresh": [str(who) for who in fresh.subjects], "known": [str(who) for who in known.subjects]}
    config = {"permutations": PERMUTATIONS, "seed": SEED, **counts}
    made = make(open_workspace(), "drift", [*fresh.inputs, *known.inputs], config, CODE, build)
    told: dict[str, Any] = read_json(made.path / "drift.json")
    return Drift(about, snapshot, against, told["figures"], tuple(told["missing"]))


def judge_drift(found: list[Drift], level: float) -> list[Drift]:
    """Which have drifted, when a false alarm anywhere among all tests is to be as rare as `level`."""
    single = {
        f"{number}.{kind}.{test}": one[test]
        for number, drift in enumerate(found)
        for kind, one in drift.figures.items()
        for test in TESTS
        if test in one
    }
    adjusted = holm(single)
    judged: list[Drift] = []
    for number, drift in enumerate(found):
        figures = {
            kind: {**one, "adjusted_p": min(adjusted[f"{number}.{kind}.{test}"] for test in TESTS if test in one)}
            for kind, one in drift.figures.items()
        }
        drifted = any(one["adjusted_p"] <= level for one in figures.values())
        judged.append(drift._replace(figures=figures, drifted=drifted))
    return judged


def _compared(fresh: Look, known: Look) -> dict[str, Any]:
    figures: dict[str, dict[str, float]] = {}
    missing: list[str] = []
    for kind in [kind for kind in known.vectors if kind in fresh.vectors]:
        first, second = known.vectors[kind], fresh.vectors[kind]
        if kind != EMBEDDINGS:
            first, second = standardised(first, second)
        sides = (first, known.subjects, second, fresh.subjects)
        try:
            found = mmd_test(*sides, SEED, PERMUTATIONS)
            figures[kind] = {"mmd2": found.mmd2, "mmd_p": found.p}
            told = classifier_test(*sides, SEED)
            figures[kind] |= {"auc": told.auc, "classifier_p": told.p}
        except DataError as error:
            missing.append(f"{kind}: {error}")
    return {"figures": figures, "missing": missing}

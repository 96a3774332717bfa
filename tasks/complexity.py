"""What recognition costs (paper A, section 5): seconds and memory of each part, and of the three branches together."""

from collections.abc import Mapping
from pathlib import Path

from prefect import task

from infra.profiles import NormalsConfig
from tasks import policies
from tasks.ablation import Bench
from tasks.build_complexity import (
    Part,
    branches_in_turn,
    branches_together,
    cleaned_scans,
    exported_graph,
    measured_alone,
)
from tasks.embed import Three
from tasks.files import read_json, write_json
from tasks.measure import Cost
from tasks.release import Exported
from tasks.stages import make
from tasks.wiring import open_workspace

RUNS = 200
SCANS = 20
Parts = dict[str, Part]


@task(name="measure complexity", **policies.STAGE)
def measure_complexity(branches: Three, exported: Exported, bench: Bench, config: NormalsConfig) -> Parts:
    """Cleaning a scan (where the benchmark has files), one branch, three in turn, three together, the exported graph.

    Measured once for the same weights, since times differ from run to run.
    """
    folders = [branch.artefact.path for branch in branches]
    scans = [] if bench.root is None else [bench.root / source for source in bench.scans.sources[:SCANS]]
    grid = [config.pixels, config.pixels, config.mm_per_pixel]

    def build(folder: Path, _: Path) -> None:
        cleaning = (config.crop_radius_mm, config.cleaning.model_dump())
        scanning = {"clean_and_encode": measured_alone(cleaned_scans, scans, grid, *cleaning)} if scans else {}
        parts = {
            **scanning,
            "branch": measured_alone(branches_in_turn, folders[:1], RUNS),
            "in_turn": measured_alone(branches_in_turn, folders, RUNS),
            "together": measured_alone(branches_together, folders, RUNS),
            "exported": measured_alone(exported_graph, exported.artefact.path / "model.onnx", RUNS),
        }
        write_json(folder / "parts.json", {name: part._asdict() for name, part in parts.items()})

    inputs = [exported.artefact, *(branch.artefact for branch in branches), *bench.scans.shards[:1]]
    made = make(open_workspace(), "complexity", inputs, {"grid": grid}, ["tasks.build_complexity"], build)
    return {name: Part(**part) for name, part in read_json(made.path / "parts.json").items()}


def with_reconstructors(parts: Parts, costs: Mapping[str, Cost]) -> Parts:
    """The reconstructors first: they are needed in training alone."""
    return {**{name: Part(cost.seconds, cost.peak_mb) for name, cost in costs.items()}, **parts}


def numbers_of(parts: Parts) -> dict[str, float]:
    """Every figure by the name it is tracked under."""
    seconds = {f"complexity.{name}.seconds": part.seconds for name, part in parts.items()}
    return seconds | {f"complexity.{name}.peak_mb": part.peak_mb for name, part in parts.items()}

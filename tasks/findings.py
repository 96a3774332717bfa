"""Everything a report tells of one job."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from infra.profiles import Profile
from infra.store import Artefact
from models.reconstructors.scoring import ShapeError
from registry.catalogue import Snapshot
from tasks.evaluate import BenchmarkResult
from tasks.promotion import Released


class Findings(NamedTuple):
    """What a job came to; `variant` is the one that was released, `stages` what each stage made."""

    profile: Profile
    snapshot: Snapshot
    shape_error: ShapeError
    benchmark: BenchmarkResult
    benchmark_data: str
    released: Released
    photo_failures: int
    stages: Mapping[str, Sequence[Artefact]]
    variant: str

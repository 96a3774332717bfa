"""Closed-set identification on one benchmark: every variant under one protocol, with all that its scores say."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from prefect import task

from infra.files import canonical_json, sha256_bytes
from infra.store import Artefact
from models.metrics.benchmark import Outcome, Scores, outcomes, scores_of, search_all, usable
from models.metrics.details import Details, compare_outcomes, details_of
from models.metrics.protocol import Protocol
from models.readers.records import ScanRecord
from tasks import policies
from tasks.embed import BASELINE, Three, embeddings_of
from tasks.files import read_json, read_table, write_json, write_table
from tasks.normals import NormalShards
from tasks.recogniser import Network
from tasks.score_files import ScoreHead, write_scores
from tasks.stages import make
from tasks.wiring import open_workspace

CODE = ["models.metrics.benchmark", "models.metrics.details", "tasks.score_files"]
LABELS = ("ancestry", "kind", "session")
"""Labels of the data sets that slices are made of, beside sex, expression and intensity."""


class BenchmarkResult(NamedTuple):
    """What a benchmark says of every variant; `figures` are the single numbers beside rank-1."""

    benchmark: str
    protocol_hash: str
    gallery: int
    probes: int
    failures: int
    lost_probes: int
    scores: dict[str, Scores]
    artefact: Artefact
    figures: Mapping[str, Mapping[str, float]] = MappingProxyType({})

    def metrics(self) -> dict[str, float]:
        """Every number under the name it is tracked by: `<benchmark>.<variant>.<x, y, z, fused or another figure>`."""
        found: dict[str, float] = {}
        for variant, row in self.scores.items():
            bounds = {"fused_low": row.fused_low, "fused_high": row.fused_high}
            numbers = {**row.rank1(), **bounds, **self.figures.get(variant, {})}
            found |= {f"{self.benchmark}.{variant}.{name}": value for name, value in numbers.items()}
        return {**found, **self._counts()}

    def _counts(self) -> dict[str, float]:
        numbers = {"gallery": self.gallery, "probes": self.probes, "lost_probes": self.lost_probes}
        return {f"{self.benchmark}.{name}": float(number) for name, number in numbers.items()}


@task(name="evaluate", **policies.STAGE)
def evaluate(
    normals: NormalShards,
    protocol: Protocol,
    baseline: Network,
    adapted: Mapping[str, Three],
    seed: int,
    records: Sequence[ScanRecord] = (),
) -> BenchmarkResult:
    """The un-adapted baseline and each adapted triple; failures to acquire count as misses.

    Of every variant the artefact holds rank-1 (`.json`), all comparisons (`.scores.parquet`), what
    became of each probe (`.probes.csv`) and `Details` (`.details.json`); `paired.json` compares variants on the same
    probes. With `records`, the index of the scans, there are slices by what it says of them.
    """
    embedded = embeddings_of(normals, baseline, adapted)
    variants: dict[str, Three] = {BASELINE: (baseline, baseline, baseline), **adapted}
    labels = probe_labels(protocol, records)
    told = sha256_bytes(canonical_json(labels).encode())
    config = {"protocol": protocol.hash(), "variants": list(variants), "seed": seed, "labels": told}

    def build(folder: Path, _: Path) -> None:
        known: dict[str, list[Outcome]] = {}
        for name, three in variants.items():
            model = sha256_bytes(canonical_json([network.artefact.key for network in three]).encode())
            head = ScoreHead(protocol.name, protocol.hash(), name, model)
            known[name] = write_evaluation(
                folder, embedded.features(name), normals.sources, protocol, head, labels, seed
            )
        pairs = {
            f"{first} - {second}": compare_outcomes(known[first], known[second], seed)
            for place, first in enumerate(known)
            for second in list(known)[:place]
        }
        write_json(
            folder / "paired.json",
            {name: {**pair._asdict(), "difference": pair.difference._asdict()} for name, pair in pairs.items()},
        )

    inputs = [*normals.shards, embedded.artefact]
    made = make(open_workspace(), "evaluation", inputs, config, CODE, build)
    scores = {name: Scores(**read_json(made.path / f"{name}.json")) for name in variants}
    lost = len(usable(normals.sources, protocol).lost_subjects)
    return BenchmarkResult(
        protocol.name,
        protocol.hash(),
        len(protocol.gallery),
        len(protocol.probes),
        len(normals.failures),
        lost,
        scores,
        made,
        {name: read_details(made, name).figures() for name in variants},
    )


def read_details(evaluation: Artefact, variant: str) -> Details:
    """What `evaluate` found of one variant."""
    return Details(**read_json(evaluation.path / f"{variant}.details.json"))


def read_outcomes(evaluation: Artefact, variant: str) -> list[Outcome]:
    """What became of each probe, in the order of the protocol."""
    rows = read_table(evaluation.path / f"{variant}.probes.csv")
    return [
        Outcome(probe, who, int(rank), nearest, whose, float(far) if far else None, float(own) if own else None)
        for probe, who, rank, nearest, whose, far, own in rows
    ]


def read_paired(evaluation: Artefact) -> dict[str, Any]:
    """`Paired` of each two variants, as data, by names like `lmcl - ce`."""
    return read_json(evaluation.path / "paired.json")


def probe_labels(protocol: Protocol, records: Sequence[ScanRecord]) -> dict[str, list[str]]:
    """What the index says of each probe, in the order of the protocol; empty words where it says nothing.

    Nothing at all without records, or when the protocol's ids are not their paths.
    """
    by_path = {record.path: record for record in records}
    found = [by_path.get(member.id) for member in protocol.probes]
    columns = {
        "sex": [record.gender or "" if record else "" for record in found],
        "expression": [record.expression or "" if record else "" for record in found],
        "intensity": [str(record.intensity) if record and record.intensity is not None else "" for record in found],
        **{name: [record.labels.get(name, "") if record else "" for record in found] for name in LABELS},
    }
    return {name: values for name, values in columns.items() if any(values)}


def write_evaluation(
    folder: Path,
    features: np.ndarray,
    sources: Sequence[str],
    protocol: Protocol,
    head: ScoreHead,
    labels: Mapping[str, Sequence[str]],
    seed: int,
) -> list[Outcome]:
    """Everything about one variant, see `evaluate`; `features` (3, n, d) are unit rows in the order of `sources`."""
    searched = search_all((features[0], features[1], features[2]), sources, protocol)
    became = outcomes(searched, sources, protocol)
    write_json(folder / f"{head.variant}.json", scores_of(searched, seed)._asdict())
    write_scores(folder / f"{head.variant}.scores.parquet", searched, sources, head)
    write_table(folder / f"{head.variant}.probes.csv", Outcome._fields, became)
    write_json(folder / f"{head.variant}.details.json", details_of(searched, became, labels, seed)._asdict())
    return became

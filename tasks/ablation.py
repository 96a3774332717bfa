"""Every variant of the recogniser on one benchmark: rank-1 of each axis and fused, and what each part adds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from prefect import task

from infra.store import Artefact
from models.metrics.ablation import CHANNELS, Contrast, Hits, Side, contrast, hits_of, rank1_of
from models.metrics.benchmark import search_all, usable
from models.metrics.paired import Paired
from models.metrics.protocol import Protocol
from models.metrics.resampling import Interval
from tasks import policies
from tasks.embed import BASELINE, Embeddings, Three, embeddings_of
from tasks.files import read_json, write_json
from tasks.normals import NormalShards
from tasks.recogniser import Network
from tasks.stages import make
from tasks.wiring import open_workspace

CODE = ["models.metrics.ablation"]


class Bench(NamedTuple):
    """A benchmark ready for any number of variants: its scans cleaned and encoded once; `data` names where from.

    `root` is where the files of the scans are; a merged one has no such place.
    """

    name: str
    data: str
    protocol: Protocol
    scans: NormalShards
    root: Path | None = None


class Trained(NamedTuple):
    """What one reconstructor's faces made of the pre-trained network: a triple of branches for each loss."""

    reconstructor: str
    pretrained: Network
    adapted: Mapping[str, Three]


class Ablation(NamedTuple):
    """Rank-1 by variant (`baseline`, `expnet.lmcl`) and channel; differences by their names."""

    test: str
    data: str
    gallery: int
    probes: int
    lost_probes: int
    protocol_hash: str
    figures: dict[str, dict[str, Interval]]
    differences: dict[str, Paired]
    artefact: Artefact

    def metrics(self, reconstructor: str) -> dict[str, float]:
        """The figures of one reconstructor and of the baseline, by the names that training tracks them under."""
        own = {name.removeprefix(f"{reconstructor}."): row for name, row in self.figures.items()}
        found: dict[str, float] = {}
        for name, row in own.items():
            if "." not in name:
                found |= {f"{self.test}.{name}.{key}": value for key, value in _numbers(row).items()}
        counts = {"gallery": self.gallery, "probes": self.probes, "lost_probes": self.lost_probes}
        return {**found, **{f"{self.test}.{name}": float(number) for name, number in counts.items()}}

    def gains(self) -> dict[str, float]:
        """The differences as numbers, for the run of the whole job."""
        found: dict[str, float] = {}
        for name, pair in self.differences.items():
            stem = f"{self.test}.{name.replace(' - ', '-')}"
            ends = {"": pair.difference.value, "_low": pair.difference.low, "_high": pair.difference.high}
            found |= {f"{stem}{end}": value for end, value in ends.items()}
            found[f"{stem}_p"] = pair.clustered_p
        return found


@task(name="ablate", **policies.STAGE)
def ablate(test: Bench, studied: Sequence[Trained], seed: int) -> Ablation:
    """The un-adapted baseline and every variant under one protocol; failures to acquire count as misses."""
    embedded = [embeddings_of(test.scans, each.pretrained, each.adapted) for each in studied]
    contrasts = contrasts_between(studied)
    config = {
        "protocol": test.protocol.hash(),
        "reconstructors": [each.reconstructor for each in studied],
        "contrasts": [str(each) for each in contrasts],
        "seed": seed,
    }

    def build(folder: Path, _: Path) -> None:
        known = _hits(test, studied, embedded)
        figures = {name: rank1_of(hits, seed) for name, hits in known.items()}
        write_json(
            folder / "figures.json",
            {name: {key: value._asdict() for key, value in row.items()} for name, row in figures.items()},
        )
        pairs = {str(each): contrast(known, each, seed) for each in contrasts}
        write_json(
            folder / "differences.json",
            {name: {**pair._asdict(), "difference": pair.difference._asdict()} for name, pair in pairs.items()},
        )

    inputs = [*test.scans.shards, *(each.artefact for each in embedded)]
    made = make(open_workspace(), "ablation", inputs, config, CODE, build)
    lost = len(usable(test.scans.sources, test.protocol).lost)
    counts = len(test.protocol.gallery), len(test.protocol.probes), lost
    return Ablation(test.name, test.data, *counts, test.protocol.hash(), *_read(made), made)


def contrasts_between(studied: Sequence[Trained]) -> list[Contrast]:
    """Paper A's questions: adapted or not, fused or one axis, which loss, which reconstructor."""
    asked: list[Contrast] = []
    for each in studied:
        for loss in each.adapted:
            name = f"{each.reconstructor}.{loss}"
            asked += [Contrast(Side(name, channel), Side(BASELINE, channel)) for channel in CHANNELS]
            asked += [Contrast(Side(name, "fused"), Side(name, axis)) for axis in CHANNELS[:-1]]
        if {"ce", "lmcl"} <= each.adapted.keys():
            asked.append(_fused(f"{each.reconstructor}.lmcl", f"{each.reconstructor}.ce"))
    first, *others = studied
    shared = [(each, loss) for each in others for loss in each.adapted if loss in first.adapted]
    return [*asked, *(_fused(f"{each.reconstructor}.{loss}", f"{first.reconstructor}.{loss}") for each, loss in shared)]


def _fused(first: str, second: str) -> Contrast:
    return Contrast(Side(first, "fused"), Side(second, "fused"))


def _hits(test: Bench, studied: Sequence[Trained], embedded: Sequence[Embeddings]) -> dict[str, Hits]:
    """One variant's distances at a time: a merged benchmark has millions of them."""
    known: dict[str, Hits] = {}
    for each, features in zip(studied, embedded, strict=True):
        for variant in (BASELINE, *each.adapted):
            name = variant if variant == BASELINE else f"{each.reconstructor}.{variant}"
            if name not in known:
                x, y, z = features.features(variant)
                known[name] = hits_of(search_all((x, y, z), test.scans.sources, test.protocol))
    return known


def _read(made: Artefact) -> tuple[dict[str, dict[str, Interval]], dict[str, Paired]]:
    rows, pairs = read_json(made.path / "figures.json"), read_json(made.path / "differences.json")
    figures = {name: {key: Interval(**value) for key, value in row.items()} for name, row in rows.items()}
    return figures, {name: _paired(**pair) for name, pair in pairs.items()}


def _paired(difference: dict[str, Any], **counts: Any) -> Paired:
    return Paired(difference=Interval(**difference), **counts)


def _numbers(row: Mapping[str, Interval]) -> dict[str, float]:
    found = {name: each.value for name, each in row.items()}
    found |= {f"{name}_low": each.low for name, each in row.items()}
    return found | {f"{name}_high": each.high for name, each in row.items()}

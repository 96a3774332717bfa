"""Simulated collections, in the real benchmarks' own formats: photos as VGGFace2, scans as BU-3DFE and others."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from prefect import task

from infra.profiles import PhotoWorldConfig
from infra.profiles.benchmarks import BenchmarkConfig, BosphorusConfig, Bu4dfeConfig, FrgcConfig
from infra.store import Artefact
from models.readers.records import Box, Point
from models.readers.vggface2_tables import Identity
from models.readers.vggface2_writer import write_metadata
from tasks import policies
from tasks.build_bosphorus import build_bosphorus
from tasks.build_bu4dfe import build_bu4dfe
from tasks.build_frgc import build_frgc
from tasks.build_photos import SPLIT_FOLDER, build_photos, read_rows
from tasks.build_scans import build_scans
from tasks.stages import make, make_all
from tasks.wiring import open_workspace

BESIDE = {"manifest.json", "rows.csv", "truth.npz"}
"""Files of a shard that are no part of the data set."""


ScanSetConfig = BenchmarkConfig | FrgcConfig | BosphorusConfig | Bu4dfeConfig
_SCAN_SETS: Mapping[str, tuple[str, Callable[..., None]]] = {
    "bu3dfe": ("tasks.build_scans", build_scans),
    "frgc": ("tasks.build_frgc", build_frgc),
    "bosphorus": ("tasks.build_bosphorus", build_bosphorus),
    "bu4dfe": ("tasks.build_bu4dfe", build_bu4dfe),
}
"""What fills a shard of each benchmark, and the module whose change makes it stale."""


class Collection(NamedTuple):
    """A data set on disk, and the shards it was made of (which also hold the truth)."""

    root: Artefact
    shards: list[Artefact]


@task(name="synthesise photos", **policies.STAGE)
def synthesise_photos(world: PhotoWorldConfig, split: str, seed: int) -> Collection:
    """Photos of made-up people of one split of the population, in VGGFace2's layout."""
    workspace = open_workspace()
    conditions = world.model_dump(exclude={"people", "people_per_shard"})
    units = [
        ([], {"split": split, "seed": seed, "first": first, "count": count, **conditions})
        for first, count in blocks(world.people, world.people_per_shard)
    ]
    shards = make_all(workspace, "photo-shards", units, ["tasks.build_photos"], build_photos, f"photos ({split})")
    root = make(workspace, "photos", shards, {}, ["tasks.synthesise"], lambda folder, _: _join_photos(folder, shards))
    return Collection(root, shards)


@task(name="synthesise scans", **policies.STAGE)
def synthesise_scans(data_set: str, config: ScanSetConfig, seed: int) -> Collection:
    """A simulated benchmark of people who are in no training set, in the real one's format."""
    workspace = open_workspace()
    code, build = _SCAN_SETS[data_set]
    common = {"seed": seed, **config.model_dump(exclude={"people_per_shard"})}
    units = [
        ([], {**common, "first": first, "count": count})
        for first, count in blocks(config.people, config.people_per_shard)
    ]
    shards = make_all(workspace, "scan-shards", units, [code], build, f"scans ({data_set})")
    root = make(workspace, "scans", shards, {}, ["tasks.synthesise"], lambda folder, _: join(folder, shards))
    return Collection(root, shards)


def blocks(total: int, block: int) -> list[tuple[int, int]]:
    """(first, count) of consecutive blocks."""
    return [(first, min(block, total - first)) for first in range(0, total, block)]


def _join_photos(folder: Path, shards: list[Artefact]) -> None:
    """One VGGFace2 root: the shards' files linked into place, and the metadata files over all of them."""
    join(folder, shards, below=SPLIT_FOLDER)
    rows = [row for shard in shards for row in read_rows(shard.path / "rows.csv")]
    photos = Counter(row.subject for row in rows)
    genders = {row.subject: row.gender for row in rows}
    people = [
        Identity(f"n{subject:06d}", f"Made-up_person_{subject}", count, training=True, gender=genders[subject])
        for subject, count in sorted(photos.items())
    ]
    names = [f"n{row.subject:06d}/{row.image:04d}_01" for row in rows]
    boxes = [(name, Box(*row.box)) for name, row in zip(names, rows, strict=True)]
    points = [(name, five_points(row.points)) for name, row in zip(names, rows, strict=True)]
    write_metadata(folder, SPLIT_FOLDER, people, boxes, points)


def five_points(values: tuple[float, ...]) -> tuple[Point, Point, Point, Point, Point]:
    """x, y, x, y, ... as points."""
    pairs = list(zip(values[0::2], values[1::2], strict=True))
    return pairs[0], pairs[1], pairs[2], pairs[3], pairs[4]


def join(folder: Path, shards: list[Artefact], below: str = "") -> None:
    """The shards' files in one tree; hard links, so they take no room."""
    for shard in shards:
        for source in sorted((shard.path / below).rglob("*")):
            target = folder / source.relative_to(shard.path)
            if source.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            elif source.name not in BESIDE:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(source, target)

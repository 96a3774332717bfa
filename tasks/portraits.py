"""Simulated KDEF and FEI: portraits of people who are in no training of a recogniser or reconstructor."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

from prefect import task

from infra.profiles import Profile
from infra.profiles.collections import StudioConfig
from infra.store import Artefact
from models.morphable.builtin import LICENCE
from models.readers.datasets import data_sets
from models.readers.fei import write_genders
from models.readers.records import PhotoRecord
from tasks import policies
from tasks.build_portraits import PortraitRow, build_fei, build_kdef, read_portrait_rows
from tasks.gather import Photos
from tasks.snapshot import snapshot_photos
from tasks.stages import make, make_all
from tasks.synthesise import Collection, blocks, five_points, join
from tasks.wiring import open_workspace

PortraitSet = Literal["kdef", "fei"]


class _Kind(NamedTuple):
    """What fills a shard, and what the joined data set holds beside the photos."""

    build: Callable[..., None]
    finish: Callable[[Path, list[PortraitRow]], None]


def _nothing_more(_: Path, __: list[PortraitRow]) -> None:
    """KDEF's names say everything."""


def _list_genders(root: Path, rows: list[PortraitRow]) -> None:
    write_genders(root, {row.subject: row.gender for row in rows})


_KINDS: dict[PortraitSet, _Kind] = {"kdef": _Kind(build_kdef, _nothing_more), "fei": _Kind(build_fei, _list_genders)}


def simulated_portraits(data_set: PortraitSet, profile: Profile) -> Photos:
    """A simulated KDEF or FEI read back by the reader of the real one; the true five points stand for detected ones."""
    config: StudioConfig = getattr(profile.portraits, data_set)
    made = synthesise_portraits(data_set, config, profile.seed)
    index = (record for record in data_sets[data_set].index(made.root.path) if isinstance(record, PhotoRecord))
    records = list(with_true_points(index, made.shards))
    name = f"simulated {data_set.upper()} ({profile.name})"
    return Photos(snapshot_photos(made.root.path, records, name, LICENCE), made.root.path, made)


@task(name="synthesise portraits", **policies.STAGE)
def synthesise_portraits(data_set: PortraitSet, config: StudioConfig, seed: int) -> Collection:
    """Shards of portraits, and the whole in the data set's own layout (FEI with a list of genders)."""
    workspace = open_workspace()
    kind = _KINDS[data_set]
    who = {"women": config.women, "men": config.men}
    how = {"height": config.height_px, "weakest": config.weakest_intensity}
    units = [
        ([], {"seed": seed, "first": first, "count": count, **who, **how})
        for first, count in blocks(config.women + config.men, config.people_per_shard)
    ]
    title = f"portraits ({data_set.upper()})"
    shards = make_all(workspace, f"{data_set}-shards", units, ["tasks.build_portraits"], kind.build, title)

    def build(folder: Path, _: Path) -> None:
        join(folder, shards)
        kind.finish(folder, _rows(shards))

    return Collection(make(workspace, data_set, shards, {}, ["tasks.portraits"], build), shards)


def with_true_points(records: Iterable[PhotoRecord], shards: list[Artefact]) -> Iterable[PhotoRecord]:
    """The same records with the five points that the shards know, hidden ones too."""
    points = {row.path: five_points(row.points) for row in _rows(shards)}
    return (replace(record, five_points=points[record.path]) for record in records)


def _rows(shards: list[Artefact]) -> list[PortraitRow]:
    return [row for shard in shards for row in read_portrait_rows(shard.path)]

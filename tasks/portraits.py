"""Simulated KDEF and FEI: portraits of people who are in no training of a recogniser or reconstructor."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from prefect import task

from infra.profiles import Profile
from infra.profiles.portraits import StudioConfig
from infra.store import Artefact
from models.morphable.builtin import LICENCE
from models.readers.fei import write_genders
from tasks import policies
from tasks.build_portraits import PortraitRow, build_fei, build_kdef, read_portrait_rows
from tasks.files import write_table
from tasks.gather import Photos
from tasks.snapshot import take_snapshot
from tasks.sources import Source
from tasks.stages import make, make_all
from tasks.synthesise import Collection, blocks, join
from tasks.wiring import open_workspace

PortraitSet = Literal["kdef", "fei"]
POINTS = "points.csv"


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
    source = Source(data_set, made.root.path, "photo", points=_true_points(made).path / POINTS)
    snapshot = take_snapshot(source, f"simulated {data_set.upper()} ({profile.name})", LICENCE, simulated=True)
    return Photos(snapshot, made.root.path, made)


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


def _true_points(made: Collection) -> Artefact:
    """A table of the five points that the shards know, hidden ones too; it stands outside the data set."""

    def build(folder: Path, _: Path) -> None:
        rows = [(row.path, *row.points) for row in _rows(made.shards)]
        write_table(folder / POINTS, ("path", *(f"{axis}{point}" for point in range(1, 6) for axis in "xy")), rows)

    return make(open_workspace(), "portrait-points", made.shards, {}, ["tasks.portraits"], build)


def _rows(shards: list[Artefact]) -> list[PortraitRow]:
    return [row for shard in shards for row in read_portrait_rows(shard.path)]

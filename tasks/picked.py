"""Some images of a set of normal component images, in the order asked for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from prefect import task

from tasks import policies
from tasks.files import save_array
from tasks.normals import NormalShards
from tasks.stages import make
from tasks.wiring import open_workspace

CODE = ["tasks.files"]


@task(name="pick images", **policies.STAGE)
def pick(given: NormalShards, sources: Sequence[str]) -> NormalShards:
    """The images of those sources that are there, as one shard; subjects go with them."""
    place = {source: number for number, source in enumerate(given.sources)}
    kept = [source for source in sources if source in place]
    rows = [place[source] for source in kept]

    def build(folder: Path, _: Path) -> None:
        blocks = [np.load(path, mmap_mode="r", allow_pickle=False) for path in given.paths]
        starts = np.cumsum([0, *map(len, blocks)])
        owner = np.searchsorted(starts, rows, side="right") - 1
        images = [blocks[block][row - starts[block]] for block, row in zip(owner, rows, strict=True)]
        save_array(folder / "normals.npy", np.stack(images) if images else blocks[0][:0])

    made = make(open_workspace(), "picked-normals", given.shards, {"rows": rows}, CODE, build)
    subjects = [given.subjects[row] for row in rows] if given.subjects else []
    return NormalShards([made], kept, subjects, [])


def together(*parts: NormalShards) -> NormalShards:
    """Several sets as one, nothing copied."""
    return NormalShards(
        [shard for part in parts for shard in part.shards],
        [source for part in parts for source in part.sources],
        [subject for part in parts for subject in part.subjects],
        [failure for part in parts for failure in part.failures],
    )

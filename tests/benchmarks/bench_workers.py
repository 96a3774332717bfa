"""The reconstruction stage on two Dask workers against one: shards of the demo's size, the same for both.

`python -m tests.benchmarks.bench_workers` prints photos a second of both and their ratio, the best of some rounds each:
on a machine with two free cores two workers should come close to twice one.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from infra.profiles import load_profile
from models.networks.expnet import CoefficientLayout, build_expnet
from models.reconstructors.stored import save_expnet
from tasks import cluster
from tasks.build_crops import build_crops
from tasks.build_faces import build_coefficients
from tasks.build_photos import build_photos, read_rows
from tasks.drain import Job, drain
from tasks.synthesise import five_points

PEOPLE, PHOTOS, SHARDS, ROUNDS = 4, 12, 8, 3
REPEATED = 4
"""How often the photos of a shard are listed: as many as make it last, as a shard of the demo does."""


def prepare(folder: Path) -> dict[str, Any]:
    """What one shard of the demo's reconstruction is told: photos, crops and a network of the demo's size."""
    profile = load_profile("demo")
    photos, crops, network = (folder / name for name in ("photos", "crops", "network"))
    for each in (photos, crops, network):
        each.mkdir()
    build_photos(photos, "recognition", 0, 0, PEOPLE, PHOTOS, profile.photos.pixels, 14.0, 0.08)
    rows = [
        {"path": row.path, "subject": str(row.subject), "points": five_points(row.points), "failure": None}
        for row in read_rows(photos / "rows.csv")
    ]
    build_crops(crops, profile.recogniser.photo_pixels, profile.expnet.pixels, photos, rows * REPEATED, folder)
    save_expnet(
        network,
        build_expnet(profile.expnet.depth, profile.expnet.width, CoefficientLayout().size),
        profile.expnet.depth,
        profile.expnet.width,
        profile.expnet.pixels,
    )
    where = {"root": photos, "crops": crops, "pixels": profile.expnet.pixels, "landmarks": None}
    return {"name": "expnet", "network": network, "device": "cpu", **where}


def fill(folder: Path, told: dict[str, Any]) -> None:
    """One shard, in a worker."""
    folder.mkdir(parents=True)
    build_coefficients(folder, **told)


def photos_per_second(workers: int, folder: Path, told: dict[str, Any], attempt: str) -> float:
    """All shards through a cluster of so many workers."""
    client = cluster.local_client(workers)

    def job(number: int) -> Job:
        return Job(f"{workers}-{attempt}-{number}", fill, (folder / f"{workers}-{attempt}-{number}", told))

    start = time.perf_counter()
    errors = [outcome.error for outcome in drain(client, job, SHARDS) if outcome.error is not None]
    assert errors == []
    return SHARDS * PEOPLE * PHOTOS * REPEATED / (time.perf_counter() - start)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = prepare(folder)
        for workers in (1, 2):
            photos_per_second(workers, folder, told, "warm")
        best = {1: 0.0, 2: 0.0}
        for number in range(ROUNDS):
            for workers in best:
                best[workers] = max(best[workers], photos_per_second(workers, folder, told, str(number)))
    print(f"load {os.getloadavg()[0]:.1f}; one worker {best[1]:.0f} photos/s, two workers {best[2]:.0f} photos/s")
    print(f"ratio {best[2] / best[1]:.2f}")


if __name__ == "__main__":
    main()

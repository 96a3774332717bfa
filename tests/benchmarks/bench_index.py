"""How many files a second every data set's index names, from a listing and from a disk, in one run.

`python -m tests.benchmarks.bench_index` prints files a second of its own processor time, the share of the speed of a
loop that only cuts each path at its slashes and dots, and the peak memory of ten and of a hundred thousand files:
streaming keeps them equal.
"""

import math
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, product
from pathlib import Path
from typing import NamedTuple

from models.readers.bosphorus import index_bosphorus
from models.readers.bu3dfe import stream_bu3dfe
from models.readers.bu4dfe import index_bu4dfe
from models.readers.fei import index_fei
from models.readers.folder import index_manifest, index_photos, index_scans
from models.readers.frgc import index_frgc
from models.readers.kdef import index_kdef
from models.readers.vggface2 import index_vggface2

FILES, ON_DISK, ROUNDS = 100_000, 20_000, 5
Names = Callable[[], Iterator[str]]


class Row(NamedTuple):
    """One index; `share` is its speed over the bare loop's."""

    name: str
    files_per_s: float
    share: float
    small_kb: float
    large_kb: float


def bosphorus() -> Iterator[str]:
    return (f"bs{who:03d}/bs{who:03d}_E_HAPPY_{take}.bnt" for take, who in product(range(1000), range(1000)))


def frgc() -> Iterator[str]:
    return (f"nd1/Fall2003range/{who:05d}d{k}.abs.gz" for k, who in product(range(1000), range(1000)))


def bu3dfe() -> Iterator[str]:
    return (f"F{who:04d}/F{who:04d}_HA03WH_F3D.wrl" for _, who in product(range(1000), range(1000)))


def bu4dfe() -> Iterator[str]:
    return (f"F{who:03d}/Happy/{frame:03d}.wrl" for frame, who in product(range(1000), range(1000)))


def kdef() -> Iterator[str]:
    return (f"AF{who:02d}/AF{who:02d}HAHL.JPG" for _, who in product(range(3000), range(1, 36)))


def fei() -> Iterator[str]:
    return (f"{who}-{k:02d}.jpg" for _, who, k in product(range(1000), range(1, 201), range(1, 15)))


def photos() -> Iterator[str]:
    return (f"person{who:04d}/{k:04d}.jpg" for k, who in product(range(1000), range(1000)))


def scans() -> Iterator[str]:
    return (f"person{who:04d}/{k:04d}.ply" for k, who in product(range(1000), range(1000)))


INDICES: dict[str, tuple[Callable[[Iterable[str]], Iterator[object]], Names]] = {
    "Bosphorus": (index_bosphorus, bosphorus),
    "FRGC v2": (index_frgc, frgc),
    "BU-3DFE": (stream_bu3dfe, bu3dfe),
    "BU-4DFE": (index_bu4dfe, bu4dfe),
    "KDEF": (index_kdef, kdef),
    "FEI": (index_fei, fei),
    "photos": (index_photos, photos),
    "scans": (index_scans, scans),
}


def best_rate(work: Callable[[], Iterator[object]], files: int) -> float:
    """Files a second of processor time, the best of some rounds: waiting for a neighbour does not count."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        found = sum(1 for _ in work())
        best = min(best, time.process_time() - start)
        if found != files:
            raise RuntimeError(f"{found} records of {files} files")
    return files / best


def peak_kb(work: Callable[[], Iterator[object]]) -> float:
    """Peak memory while all records pass by."""
    tracemalloc.start()
    for _ in work():
        pass
    peak = tracemalloc.get_traced_memory()[1] / 1024
    tracemalloc.stop()
    return peak


def cut(names: Iterable[str]) -> Iterator[object]:
    """The least any index does."""
    return ((*path.rpartition("/")[::2], path.rpartition(".")[2]) for path in names)


def from_listings() -> list[Row]:
    """Every index on a hundred thousand names that are ready in memory."""
    rows: list[Row] = []
    for name, (index, names) in INDICES.items():
        listed = list(islice(names(), FILES))
        bare = best_rate(lambda listed=listed: cut(listed), FILES)
        rate = best_rate(lambda index=index, listed=listed: index(listed), FILES)
        small, large = (
            peak_kb(lambda index=index, names=names, many=many: index(islice(names(), many)))
            for many in (FILES // 10, FILES)
        )
        rows.append(Row(name, rate, rate / bare, small, large))
    return rows


def from_disk() -> list[Row]:
    """Folders of empty files, and a manifest."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for who in range(ON_DISK // 100):
            (root / "train" / f"n{who:06d}").mkdir(parents=True)
            for k in range(100):
                (root / "train" / f"n{who:06d}" / f"{k:04d}_01.jpg").touch()
        table = root / "faces.csv"
        table.write_text("path,subject\n" + "".join(f"{name},ann\n" for name in islice(photos(), FILES)))
        works: dict[str, tuple[Callable[[], Iterator[object]], int]] = {
            "photos, on disk": (lambda: index_photos(root), ON_DISK),
            "VGGFace2, on disk": (lambda: index_vggface2(root, "train"), ON_DISK),
            "manifest CSV": (lambda: index_manifest(table), FILES),
        }
        for name, (work, files) in works.items():
            rows.append(Row(name, best_rate(work, files), float("nan"), float("nan"), peak_kb(work)))
    return rows


if __name__ == "__main__":
    for row in [*from_listings(), *from_disk()]:
        compared = (
            "" if math.isnan(row.share) else f"  {row.share:4.2f} of the bare loop, {row.small_kb:.0f} KB for a tenth"
        )
        print(f"{row.name:20s} {row.files_per_s:9.0f} files/s  peak {row.large_kb:5.0f} KB{compared}")

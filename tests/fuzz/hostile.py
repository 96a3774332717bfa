"""Files made to cost much: what refusing or reading each takes, measured by `python -m tests.fuzz`."""

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from models.readers.abs_grid import write_abs
from models.readers.bnt_grid import write_bnt
from models.types import RangeImage

MEGABYTE = 1 << 20


def largest_scan() -> RangeImage:
    """As large as a real scan of FRGC: 480 x 640, nearly all of it valid."""
    x, y = np.meshgrid(np.arange(640) - 319.5, 239.5 - np.arange(480))
    points = np.stack([x, y, 40 * np.exp(-(x**2 + y**2) / 9000) - 1300], axis=-1).astype(np.float32)
    return RangeImage(points, np.hypot(x, y) < 320)


def gzip_bomb(inner: bytes, megabytes: int) -> bytes:
    """So many megabytes of `inner`, repeated, in a few hundred kilobytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = inner * (MEGABYTE // len(inner))
    return b"".join([*(packer.compress(piece) for _ in range(megabytes)), packer.flush()])


def nested_brackets() -> bytes:
    return b"#VRML V2.0 utf8\n" + b"Group { children [ " * 200_000


def endless_quote(columns: bytes) -> bytes:
    return columns + b'\n"' + b"a,\n" * 2_000_000


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "real size .abs (read)": ("a.abs", lambda: write_abs(largest_scan())),
    "real size .bnt (read)": ("a.bnt", lambda: write_bnt(largest_scan(), "a.png")),
    "gzip bomb of 4 GB": ("a.abs.gz", lambda: gzip_bomb(b" ", 4096)),
    "gzip bomb of numbers": ("a.abs.gz", lambda: gzip_bomb(b"1 " * 64, 4096)),
    ".abs declares 10^12 cells": ("a.abs", lambda: b"999999 rows\n999999 columns\npixels (flag X Y Z):\n1 \n"),
    ".abs of 1.5 million cells, none there": ("a.abs", lambda: b"1000 rows\n1500 columns\npixels (flag X Y Z):\n1 \n"),
    ".bnt declares 4 billion cells": (
        "a.bnt",
        lambda: struct.pack("<HHdH", 65535, 65535, -1e9, 0) + struct.pack("<I", 2**32 - 1),
    ),
    ".wrl of 200,000 open brackets": ("a.wrl", nested_brackets),
    ".ply declares 4 billion vertices": (
        "a.ply",
        lambda: b"ply\nformat ascii 1.0\nelement vertex 4000000000\nproperty float x\nend_header\n",
    ),
    "manifest with an endless quote": ("a.csv", lambda: endless_quote(b"path")),
}


def hostile_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each name and its file, written one at a time."""
    for name, (file_name, build) in HOSTILE.items():
        path = folder / file_name
        path.write_bytes(build())
        yield name, path

"""Data sets become snapshots: every file hashed and listed once, for good."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from prefect import task

from infra.files import sha256_file
from models.errors import PhotoError
from models.photos.decoding import read_photo
from models.readers.records import PhotoRecord
from registry.catalogue import ManifestRow, Snapshot, add_snapshot
from tasks import policies
from tasks.wiring import open_workspace


@task(name="snapshot photos", **policies.STAGE)
def snapshot_photos(root: Path, records: list[PhotoRecord], name: str, licence: str) -> Snapshot:
    """The photos at `root` as an immutable list in the catalogue; one that cannot be read is listed with its reason."""
    workspace = open_workspace()
    return add_snapshot(
        workspace.engine,
        _photo_rows(root, records, workspace.settings.workers),
        name=name,
        kind="photo",
        licence=licence,
        source=name,
    )


def _photo_rows(root: Path, records: list[PhotoRecord], workers: int) -> Iterator[ManifestRow]:
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(partial(_photo_row, root), records)


def _photo_row(root: Path, record: PhotoRecord) -> ManifestRow:
    path = root / record.path
    width, height, failure = None, None, None
    try:
        height, width = read_photo(path).pixels.shape[:2]
    except PhotoError as error:
        failure = str(error).replace(f"{root}/", "")
    points = record.five_points
    return ManifestRow(
        path=str(record.path),
        sha256=sha256_file(path),
        subject=record.subject,
        role="train",
        size_bytes=path.stat().st_size,
        width=width,
        height=height,
        labels={**record.labels, **({"gender": record.gender} if record.gender else {})},
        points=None if points is None else tuple((float(x), float(y)) for x, y in points),
        failure=failure,
    )

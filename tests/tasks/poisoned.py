"""Small snapshots in the real formats: files written by the data sets' own writers, listed in a real catalogue."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from expectations.report import Validation
from models.morphable.builtin import load_face
from models.photos.decoding import encode_jpeg
from models.readers.bu3dfe import index_bu3dfe, write_bu3dfe
from models.readers.kdef import index_kdef, write_kdef
from models.readers.records import PhotoRecord, ScanRecord
from models.types import Scan
from registry.catalogue import ManifestRow, Snapshot, add_snapshot, load_rows
from tasks.facts import look_at_disk
from tasks.manifests import photo_rows, scan_rows
from tasks.wiring import Workspace

Change = Callable[[ManifestRow], ManifestRow]
LANDMARKS = np.arange(83, dtype=np.int64)


def write_photos(root: Path) -> None:
    """KDEF's names: three people, both sessions, three expressions, each photo another one."""
    rng = np.random.default_rng(0)
    for subject in ("F01", "M01", "M02"):
        for session in "AB":
            for expression in ("NE", "HA", "SA"):
                small = rng.integers(20, 230, (14, 12, 3), dtype=np.uint8)
                pixels = cv2.resize(small, (120, 140), interpolation=cv2.INTER_CUBIC)
                write_kdef(root, session, subject, expression, "S", encode_jpeg(pixels, 90))


def list_photos(
    workspace: Workspace, root: Path, index: Callable[[Path], Iterable[PhotoRecord]] = index_kdef
) -> Snapshot:
    records = list(index(root))
    found = list(look_at_disk(root, [record.path for record in records], 1))
    sizes = dict.fromkeys((record.path for record in records), (120, 140))
    rows = photo_rows(records, found, sizes, "train")
    return add_snapshot(workspace.engine, rows, name="kdef", kind="photo", licence="CC0-1.0", source="kdef")


def write_scans(root: Path) -> None:
    """BU-3DFE's names: two people, a neutral scan and two others each, of the built-in face's mesh."""
    face = load_face(subdivisions=0)
    rng = np.random.default_rng(0)
    for subject in ("F0001", "M0001"):
        identity = rng.normal(size=face.identity_basis.shape[-1]).astype(np.float32)
        for expression, intensity in (("NE", 0), ("HA", 1), ("SA", 4)):
            acted = rng.normal(size=face.expression_basis.shape[-1]).astype(np.float32)
            vertices = face.shape(identity, acted * (intensity / 4)).astype(np.float32)
            write_bu3dfe(root, subject, expression, intensity, "WH", Scan(vertices, face.triangles), LANDMARKS)


def list_scans(
    workspace: Workspace, root: Path, index: Callable[[Path], Iterable[ScanRecord]] = index_bu3dfe
) -> Snapshot:
    records = list(index(root))
    found = list(look_at_disk(root, [record.path for record in records], 1))
    rows = [replace(row, role="test") for row in scan_rows(records, found)]
    return add_snapshot(workspace.engine, rows, name="bu3dfe", kind="scan", licence="CC0-1.0", source="bu3dfe")


def relisted(workspace: Workspace, snapshot: Snapshot, changes: dict[str, Change]) -> Snapshot:
    """Another snapshot of the same files, some rows of it changed before it was taken: a mistaken label."""

    def rows() -> Iterable[ManifestRow]:
        for row in list(load_rows(workspace.engine, snapshot.id)):
            yield changes.get(row.path, lambda same: same)(row)

    return add_snapshot(
        workspace.engine, rows(), name="relisted", kind=snapshot.kind, licence=snapshot.licence, source=snapshot.source
    )


def refused(validation: Validation) -> dict[tuple[str, str], tuple[str, ...]]:
    """(suite, expectation) of everything that refuses, with the rows that it names."""
    return {
        (report.suite, finding.expectation): finding.rows
        for report in validation.reports
        for finding in report.failures
    }

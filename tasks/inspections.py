"""Suites held against snapshots and collections on the disk; the answers as data, whatever they are."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from expectations.blocks import validate_blocks
from expectations.files import validate_files
from expectations.manifest import Kind, ManifestLimits, Neutrals, validate_manifest
from expectations.photos import PhotoLimits, validate_photos
from expectations.report import Finding, Validation, ValidationReport
from expectations.scans import ScanLimits, validate_scans
from infra.store import Artefact
from models.facts.scans import LARGEST_MM, SMALLEST_MM
from models.metrics.protocol import Protocol
from models.readers.pictures import DARKEST_MEAN
from models.readers.records import PhotoRecord, ScanRecord
from registry.catalogue import Snapshot, load_rows, verify_snapshot
from registry.errors import RegistryError
from tasks.facts import Files, Found, look_at_disk, photo_facts_of, scan_facts_of
from tasks.frames import BLOCK_ROWS, facts_in_blocks
from tasks.manifests import IN_MILLIMETRES, NEUTRALS, manifest_frame, naming_of, photo_rows, scan_rows
from tasks.wiring import Workspace

PHOTO_LIMITS = PhotoLimits(darkest=DARKEST_MEAN)
SCAN_LIMITS = ScanLimits(smallest_mm=SMALLEST_MM, largest_mm=LARGEST_MM)


def inspect_snapshot(
    workspace: Workspace, snapshot: Snapshot, root: Path, fewest_people: int, fewest_files: int, stated: str
) -> Validation:
    """Catalogue, manifest, files on disk and content of a stored snapshot of photos or scans below `root`.

    `stated` names the data set ("" where nobody knows): it says whose file each is by its name, and for scans the unit.
    """
    kind: Kind = "photo" if snapshot.kind == "photo" else "scan"
    manifest = manifest_frame(load_rows(workspace.engine, snapshot.id), None)
    paths = manifest["path"].tolist()
    data_set, strict = naming_of(stated, paths)
    if data_set is not None:
        manifest = manifest_frame(load_rows(workspace.engine, snapshot.id), data_set)
    limits = ManifestLimits(kind, fewest_people, fewest_files, neutrals=_neutrals(kind, data_set), strict_names=strict)
    found = list(look_at_disk(root, paths, workspace.settings.workers))
    reports = (
        _catalogue(workspace, snapshot),
        validate_manifest(manifest, limits),
        _files(manifest, found),
        _content(workspace, Files(root, paths, found, snapshot.id), manifest, kind, data_set),
    )
    return Validation(f"{kind}s", f"{snapshot.name}, snapshot {snapshot.id[:12]}", reports)


def inspect_scans(
    workspace: Workspace, root: Path, records: Sequence[ScanRecord], found: Sequence[Found], protocol: Protocol
) -> Validation:
    """Scans of a benchmark that stand in no snapshot, in the roles that its protocol gives them."""
    data_set, strict = naming_of(protocol.name, [record.path for record in records])
    manifest = manifest_frame(scan_rows(records, found, protocol), data_set)
    neutrals = _neutrals("scan", data_set) if strict else None
    limits = ManifestLimits("scan", 1, 1, neutrals=neutrals, strict_names=strict)
    files = Files(root, manifest["path"].tolist(), found)
    content = _content(workspace, files, manifest, "scan", data_set)
    return Validation("scans", protocol.name, (validate_manifest(manifest, limits), content))


def inspect_photos(
    workspace: Workspace, topic: str, about: str, root: Path, records: Sequence[PhotoRecord], data_set: str
) -> Validation:
    """Photos of a collection that stand in no snapshot."""
    paths = [record.path for record in records]
    found = list(look_at_disk(root, paths, workspace.settings.workers))
    facts = photo_facts_of(workspace, Files(root, paths, found))
    sizes: dict[str, tuple[int, int]] = {}
    for block in facts_in_blocks(facts):
        read = block[block["failure"].isna()]
        sizes |= {
            path: (int(width), int(height))
            for path, width, height in zip(read["path"], read["width"], read["height"], strict=True)
        }
    manifest = manifest_frame(photo_rows(records, found, sizes, topic), data_set)
    limits = ManifestLimits("photo", 1, 1, strict_names=True)
    reports = (validate_manifest(manifest, limits), _photos(facts, manifest))
    return Validation(topic, about, reports)


def _catalogue(workspace: Workspace, snapshot: Snapshot) -> ValidationReport:
    """Whether the rows in the database are those of which the snapshot's id is the hash."""
    try:
        verify_snapshot(workspace.engine, snapshot.id)
        wrong = ""
    except RegistryError as error:
        wrong = str(error)
    finding = Finding("is as it was stored", "snapshot", passed=not wrong, observed=wrong)
    return ValidationReport("catalogue", snapshot.rows, (finding,))


def _files(manifest: pd.DataFrame, found: Sequence[Found]) -> ValidationReport:
    listed = manifest[["path", "sha256", "size_bytes"]].copy()
    listed["found_sha256"] = pd.Series([now.sha256 for now in found], dtype="str")
    listed["found_bytes"] = pd.Series([now.size_bytes for now in found], dtype="Int64")
    starts = range(0, max(len(listed), 1), BLOCK_ROWS)
    return validate_blocks((listed.iloc[start : start + BLOCK_ROWS] for start in starts), validate_files)


def _content(
    workspace: Workspace, files: Files, manifest: pd.DataFrame, kind: Kind, data_set: str | None
) -> ValidationReport:
    """What the files hold that gave something when they were listed and that are there."""
    there = [now.sha256 is not None for now in files.found]
    usable = manifest["failure"].isna() & pd.Series(there, index=manifest.index, dtype=bool)
    chosen = usable.to_numpy().nonzero()[0].tolist()
    kept = files._replace(paths=[files.paths[n] for n in chosen], found=[files.found[n] for n in chosen])
    if kind == "photo":
        return _photos(photo_facts_of(workspace, kept), manifest)
    facts = scan_facts_of(workspace, kept, data_set in IN_MILLIMETRES)
    return validate_blocks(facts_in_blocks(facts), partial(validate_scans, limits=SCAN_LIMITS))


def _photos(facts: Sequence[Artefact], manifest: pd.DataFrame) -> ValidationReport:
    listed = manifest[["path", "width", "height"]].rename(columns={"width": "listed_width", "height": "listed_height"})
    blocks = (block.merge(listed, how="left", on="path") for block in facts_in_blocks(facts))
    return validate_blocks(blocks, partial(validate_photos, limits=PHOTO_LIMITS))


def _neutrals(kind: Kind, data_set: str | None) -> Neutrals | None:
    return NEUTRALS.get(data_set) if kind == "scan" and data_set is not None else None

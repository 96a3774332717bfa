"""A snapshot lists each file with its hash, and an unreadable one with its reason."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from registry.catalogue import load_rows
from tasks.snapshot import take_snapshot
from tasks.sources import Source
from tasks.wiring import Workspace
from tests.tasks.plain_snapshots import take_in


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for number, name in enumerate(("anna/1.png", "anna/2.png", "berta/1.png")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), np.random.default_rng(number).integers(0, 255, (70, 80, 3), dtype=np.uint8))
    (root / "berta" / "2.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of a JPEG")
    return root


def take(workspace: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        take_in(workspace, patch)
        return take_snapshot(Source("photos", root, "photo"), root.name, "CC0-1.0")


def test_every_file_is_listed_with_its_own_hash(workspace: Workspace, photos: Path, monkeypatch: pytest.MonkeyPatch):
    taken = take(workspace, photos, monkeypatch)
    rows = {row.path: row for row in load_rows(workspace.engine, taken.id)}
    files = {str(path.relative_to(photos)): path for path in photos.rglob("*.*")}
    assert rows.keys() == files.keys()
    assert taken.rows == 4
    for name, path in files.items():
        assert rows[name].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert rows[name].size_bytes == path.stat().st_size
        assert rows[name].subject == name.split("/")[0]


def test_an_unreadable_photo_has_a_reason_and_no_size(
    workspace: Workspace, photos: Path, monkeypatch: pytest.MonkeyPatch
):
    rows = {row.path: row for row in load_rows(workspace.engine, take(workspace, photos, monkeypatch).id)}
    broken = rows.pop("berta/2.jpg")
    assert broken.failure
    assert broken.failure.startswith("berta/2.jpg")
    assert (broken.width, broken.height) == (None, None)
    assert {(row.width, row.height, row.failure) for row in rows.values()} == {(80, 70, None)}


def test_the_same_photos_are_one_snapshot_and_a_changed_one_is_another(
    workspace: Workspace, photos: Path, monkeypatch: pytest.MonkeyPatch
):
    first = take(workspace, photos, monkeypatch)
    assert take(workspace, photos, monkeypatch) == first
    cv2.imwrite(str(photos / "anna" / "1.png"), np.zeros((70, 80, 3), dtype=np.uint8))
    assert take(workspace, photos, monkeypatch).id != first.id

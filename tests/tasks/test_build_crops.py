"""A shard of crops: order kept, failures as rows."""

from pathlib import Path

import cv2
import numpy as np

from models.photos.alignment import align_photo
from models.photos.decoding import read_photo
from tasks.build_crops import build_crops, read_crop_rows, read_failures

POINTS = np.array([[40, 50], [80, 50], [60, 72], [45, 92], [75, 92]], dtype=np.float32)


def photo(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    smooth = cv2.GaussianBlur(np.random.default_rng(seed).integers(0, 255, (128, 120, 3), dtype=np.uint8), (9, 9), 3)
    cv2.imwrite(str(path), smooth)


def row(path: str, subject: str, points=POINTS, failure: str | None = None) -> dict:
    return {"path": path, "subject": subject, "points": points.tolist(), "failure": failure}


def test_crops_keep_the_order_and_failures_are_rows(tmp_path: Path):
    root, folder = tmp_path / "root", tmp_path / "shard"
    folder.mkdir()
    for number, name in enumerate(("b/1.png", "a/1.png", "c/1.png")):
        photo(root / name, number)
    (root / "a" / "cut.png").write_bytes((root / "a" / "1.png").read_bytes()[:200])
    rows = [
        row("b/1.png", "b"),
        row("a/cut.png", "a"),
        row("a/1.png", "a"),
        row("c/known.png", "c", failure="c/known.png: too dark"),
        row("c/1.png", "c"),
    ]
    build_crops(folder, recogniser_px=32, reconstructor_px=48, root=root, rows=rows, assets=tmp_path / "none")

    assert [(kept.path, kept.subject) for kept in read_crop_rows(folder)] == [
        ("b/1.png", "b"),
        ("a/1.png", "a"),
        ("c/1.png", "c"),
    ]
    failures = read_failures(folder)
    assert [failure.path for failure in failures] == ["a/cut.png", "c/known.png"]
    assert all(failure.reason and str(tmp_path) not in failure.reason for failure in failures)
    small, large = np.load(folder / "recogniser.npy"), np.load(folder / "reconstructor.npy")
    assert (small.shape, large.shape, small.dtype) == ((3, 3, 32, 32), (3, 3, 48, 48), np.uint8)
    for place, name in enumerate(("b/1.png", "a/1.png", "c/1.png")):
        expected = align_photo(read_photo(root / name), POINTS, 48)
        np.testing.assert_array_equal(large[place], expected.pixels.transpose(2, 0, 1))
        np.testing.assert_array_equal(np.load(folder / "to_photo.npy")[place], expected.to_photo)


def test_a_shard_of_failures_only_is_empty_and_whole(tmp_path: Path):
    folder = tmp_path / "shard"
    folder.mkdir()
    build_crops(folder, 32, 48, tmp_path, [row("a/1.png", "a", failure="a/1.png: empty")], tmp_path / "none")
    assert np.load(folder / "recogniser.npy").shape == (0, 3, 32, 32)
    assert np.load(folder / "to_photo.npy").shape == (0, 2, 3)
    assert read_crop_rows(folder) == []
    assert [failure.reason for failure in read_failures(folder)] == ["a/1.png: empty"]

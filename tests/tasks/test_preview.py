"""Pictures of single files: what is on them, and what they say when there is nothing to see."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.errors import DataError, ScanError
from models.geometry.normals import plane_fit_normals
from tasks.encode import encode_scan, encoded
from tasks.preview import SIDE_PX, WIDEST, preview
from tests.tasks.data_folders import BROKEN, picture


def test_a_photo_without_networks_is_drawn_alone_and_the_way_out_is_told(tmp_path: Path):
    photo, out = tmp_path / "a.png", tmp_path / "out" / "sheet.png"
    photo.write_bytes(picture(3))
    told = preview(photo, out, tmp_path / "assets")
    assert "80 x 70 pixels, no points" in told
    assert "trinormal setup" in told
    drawn = cv2.imread(str(out))
    assert drawn.shape == (SIDE_PX, 512, 3)
    small = cv2.resize(drawn, (80, 70), interpolation=cv2.INTER_AREA)
    true = cv2.imread(str(photo))
    assert np.corrcoef(small.ravel(), true.ravel())[0, 1] > 0.95


def test_a_very_wide_photo_fits_the_sheet(tmp_path: Path):
    photo, out = tmp_path / "a.png", tmp_path / "sheet.png"
    cv2.imwrite(str(photo), np.full((3, 900, 3), 50, np.uint8))
    preview(photo, out, tmp_path / "assets")
    drawn = cv2.imread(str(out))
    assert drawn.shape == (SIDE_PX, WIDEST * SIDE_PX, 3)
    assert (drawn[:5] == 50).all()
    assert (drawn[-1] == 128).all()


def test_a_real_scan_is_drawn_as_it_is_encoded(real_data: Path, tmp_path: Path):
    scan, out = real_data / "scans" / "DemoFace_10K.obj", tmp_path / "sheet.png"
    told = preview(scan, out, tmp_path)
    assert told.startswith("range image, Nx, Ny, Nz; ")
    encode_scan(scan, tmp_path / "encoded")
    assert out.read_bytes() == (tmp_path / "encoded" / "sheet.png").read_bytes()
    planes = np.load(tmp_path / "encoded" / "normals.npy")
    sheet = cv2.imread(str(out), cv2.IMREAD_GRAYSCALE)
    assert (np.hstack(list(planes)) == sheet[:, planes.shape[2] :]).all()
    made = encoded(scan)
    facing = plane_fit_normals(made.image).normals[..., 2][made.image.valid]
    assert np.median(facing) > 0.7


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("notes.txt", b"", DataError),
        ("torn.jpg", BROKEN, DataError),
        ("torn.obj", b"v 1 2\n", ScanError),
        ("gone.jpg", None, DataError),
        ("gone.obj", None, DataError),
    ],
)
def test_a_file_that_cannot_be_drawn_is_named_and_leaves_nothing(tmp_path: Path, name: str, content, error):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=name):
        preview(tmp_path / name, tmp_path / "sheet.png", tmp_path)
    assert not (tmp_path / "sheet.png").exists()

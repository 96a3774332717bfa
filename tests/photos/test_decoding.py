"""Whole files come back as they were; anything else is refused by name, never a crash."""

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from models.errors import PhotoError
from models.photos.decoding import encode_jpeg, read_photo
from models.photos.headers import read_header

COLOURS = np.random.default_rng(3).integers(0, 256, (12, 20, 3), dtype=np.uint8)
SMOOTH = cv2.resize(COLOURS, (200, 120), interpolation=cv2.INTER_CUBIC)


def encode(suffix: str, pixels: np.ndarray = SMOOTH, *options: int) -> bytes:
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    return cv2.imencode(suffix, bgr, options)[1].tobytes()


WHOLE = {
    "jpg": encode(".jpg"),
    "progressive": encode(".jpg", SMOOTH, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "png": encode(".png"),
    "bmp": encode(".bmp"),
    "ppm": encode(".ppm"),
    "pgm": encode(".pgm", SMOOTH[..., 0].copy()),
}


def read(folder: Path, raw: bytes) -> np.ndarray:
    path = folder / "photo.bin"
    path.write_bytes(raw)
    return read_photo(path).pixels


def refuse(folder: Path, raw: bytes, reason: str) -> None:
    with pytest.raises(PhotoError, match=reason) as caught:
        read(folder, raw)
    assert str(folder / "photo.bin") in str(caught.value)
    assert "\n" not in str(caught.value)


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an EXIF segment holding one tag, 0x0112."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    segment = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm"])
def test_lossless_files_come_back_pixel_for_pixel(tmp_path: Path, suffix: str) -> None:
    assert_array_equal(read(tmp_path, encode(suffix, COLOURS)), COLOURS)


def test_grey_files_become_three_equal_channels(tmp_path: Path) -> None:
    grey = COLOURS[..., 0].copy()
    for raw in (encode(".pgm", grey), encode(".png", grey)):
        assert_array_equal(read(tmp_path, raw), np.repeat(grey[..., None], 3, axis=2))


def test_text_pgm_with_a_comment_is_read(tmp_path: Path) -> None:
    assert_array_equal(read(tmp_path, b"P2\n# a comment\n3 1\n255\n0 128 255\n")[0, :, 0], [0, 128, 255])


def test_sixteen_bit_png_becomes_eight_bits(tmp_path: Path) -> None:
    deep = COLOURS[..., 0].astype(np.uint16) * 257
    assert_array_equal(read(tmp_path, encode(".png", deep))[..., 1], COLOURS[..., 0])


def test_encoded_jpeg_keeps_the_colours_in_order(tmp_path: Path) -> None:
    red = np.zeros((16, 24, 3), np.uint8)
    red[..., 0] = 200
    decoded = read(tmp_path, encode_jpeg(red, quality=95)).astype(int)
    assert np.abs(decoded - red).max() <= 4


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda image: image),
        (2, lambda image: image[:, ::-1]),
        (3, lambda image: image[::-1, ::-1]),
        (4, lambda image: image[::-1]),
        (5, lambda image: image.transpose(1, 0, 2)),
        (6, lambda image: np.rot90(image, -1)),
        (7, lambda image: image[::-1, ::-1].transpose(1, 0, 2)),
        (8, lambda image: np.rot90(image, 1)),
    ],
)
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, upright) -> None:
    stored = read(tmp_path, WHOLE["jpg"])
    assert_array_equal(read(tmp_path, with_orientation(WHOLE["jpg"], orientation)), upright(stored))


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, kind: str) -> None:
    raw = WHOLE[kind]
    # the last bytes of a PNG are IEND's checksum, of a JPEG its end marker: even one byte less shows
    for length in {0, 1, 2, 10, 30, *range(60, len(raw), len(raw) // 60), len(raw) - 1}:
        with pytest.raises(PhotoError):
            read(tmp_path, raw[:length])


def test_a_cut_jpeg_with_a_whole_thumbnail_inside_is_refused(tmp_path: Path) -> None:
    thumbnail = encode(".jpg", COLOURS)
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    whole = WHOLE["jpg"][:2] + segment + WHOLE["jpg"][2:]
    assert read(tmp_path, whole).shape == SMOOTH.shape
    refuse(tmp_path, whole[: len(whole) * 2 // 3], "cut short")


def test_bytes_after_the_end_of_a_jpeg_do_no_harm(tmp_path: Path) -> None:
    assert_array_equal(read(tmp_path, WHOLE["jpg"] + b"\0" * 99), read(tmp_path, WHOLE["jpg"]))


def test_bombs_are_refused_from_their_headers(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 16_000, 16_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IEND", b"")
    refuse(tmp_path, png, "over the limit")
    refuse(tmp_path, b"P5 20000 2 255 " + bytes(40_000), "over the limit")
    size = WHOLE["jpg"].index(b"\xff\xc0") + 5
    refuse(tmp_path, WHOLE["jpg"][:size] + b"\xff\xff\xff\xff" + WHOLE["jpg"][size + 4 :], "over the limit")


def test_a_jpeg_of_very_many_scans_is_refused(tmp_path: Path) -> None:
    raw = bytearray(WHOLE["progressive"])
    size = raw.index(b"\xff\xc2") + 5
    raw[size : size + 4] = struct.pack(">HH", 9_000, 9_000)
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00\x00"
    refuse(tmp_path, bytes(raw[:-2]) + scan * 40 + b"\xff\xd9", "take too long")


def test_other_formats_and_text_are_refused(tmp_path: Path) -> None:
    for raw in (b"GIF89a" + bytes(100), b"hello", b"", b"P7 nothing", b"P5 -3 4 255 ", b"P5 3 4 0 " + bytes(12)):
        with pytest.raises(PhotoError):
            read(tmp_path, raw)


def test_a_large_file_a_folder_a_pipe_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    large, pipe = tmp_path / "large.jpg", tmp_path / "pipe"
    with large.open("wb") as stream:
        stream.truncate(64 * 2**20 + 1)
    os.mkfifo(pipe)
    for path in (large, tmp_path, pipe, tmp_path / "absent.jpg", Path("nul\0byte.jpg")):
        with pytest.raises(PhotoError):
            read_photo(path)


def test_a_run_of_marker_bytes_is_walked_in_linear_time() -> None:
    with pytest.raises(PhotoError):
        read_header(WHOLE["jpg"][:-2] + b"\xff" * 20_000_000 + b"\0", "bomb")


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
    st.sampled_from(["set", "insert", "delete"]),
)
def test_a_mutated_file_gives_a_photo_or_a_photo_error(tmp_path_factory, kind, edits, how) -> None:
    raw = bytearray(WHOLE[kind])
    for place, value in edits:
        # half the edits go to the first 200 bytes, where the structure is
        at = int(place * 2 * 199) if place < 0.5 else int((place - 0.5) * 2 * (len(raw) - 1))
        raw[at : at + (how != "insert")] = b"" if how == "delete" else bytes([value])
    try:
        pixels = read(tmp_path_factory.getbasetemp(), bytes(raw))
    except PhotoError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3

"""What a photo file says of itself before any pixel is decoded: limits come first, whole files only."""

import re
import struct
import zlib
from typing import NamedTuple

from models.errors import PhotoError

MAX_FILE_BYTES = 64 * 2**20
MAX_SIDE = 16_384
MAX_PIXELS = 100_000_000
# a progressive JPEG visits every pixel once a scan: the product bounds the time, a few bytes a scan do not
MAX_SCANNED_PIXELS = 2_000_000_000

_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_NEXT_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
_JPEG_FILL = re.compile(rb"\xff+")
_PNM = re.compile(rb"P([2356])" + rb"(?:\s|#[^\n\r]{0,4096}[\n\r]){1,64}(\d{1,9})" * 3 + rb"\s")


class Header(NamedTuple):
    """Format and size in pixels as the file states them."""

    kind: str
    width: int
    height: int


def read_header(raw: bytes, where: str) -> Header:
    """Header of a whole JPEG, PNG, BMP, PGM or PPM file within the limits; raises `PhotoError` otherwise."""
    for magic, parse in ((b"\xff\xd8\xff", _jpeg), (b"\x89PNG\r\n\x1a\n", _png), (b"BM", _bmp), (b"P", _pnm)):
        if raw.startswith(magic):
            header, scans = parse(raw, where)
            _require_within_limits(header, scans, where)
            return header
    raise PhotoError(f"{where}: not a JPEG, PNG, BMP, PGM or PPM file; convert it to one of these")


def _require_within_limits(header: Header, scans: int, where: str) -> None:
    size = f"{header.width} x {header.height}"
    pixels = header.width * header.height
    if header.width < 1 or header.height < 1:
        raise PhotoError(f"{where}: states a size of {size}; the file is damaged, export it again")
    if max(header.width, header.height) > MAX_SIDE or pixels > MAX_PIXELS:
        limit = f"{MAX_SIDE} a side and {MAX_PIXELS / 1e6:.0f} MP"
        raise PhotoError(f"{where}: {size} pixels is over the limit of {limit}; make it smaller")
    if scans * pixels > MAX_SCANNED_PIXELS:
        raise PhotoError(f"{where}: {scans} scans of {size} pixels take too long; save it as a plain JPEG")


def _jpeg(raw: bytes, where: str) -> tuple[Header, int]:
    """Walk the segments to the end marker (ITU T.81, annex B): a cut file has none outside its segments."""
    at, scans, header = 2, 0, None
    while fill := _JPEG_FILL.match(raw, at):
        at = fill.end() + 1
        marker = raw[fill.end()] if fill.end() < len(raw) else -1
        if marker == 0xD9 and header is not None and scans:
            return header, scans
        if marker in _JPEG_ALONE:
            continue
        segment = raw[at + 2 : at + int.from_bytes(raw[at : at + 2])]
        at += 2 + len(segment)
        if marker in _JPEG_SIZES and len(segment) >= 5:
            header = Header("jpeg", *reversed(struct.unpack(">HH", segment[1:5])))
        elif marker == 0xDA:
            scans += 1
            data_end = _JPEG_NEXT_MARKER.search(raw, at)
            at = data_end.start() if data_end else len(raw)
    raise PhotoError(f"{where}: this JPEG is cut short or damaged (no end marker); copy or export it again")


def _png(raw: bytes, where: str) -> tuple[Header, int]:
    """Walk the chunks and their checksums to IEND (PNG specification, section 5)."""
    at, header = 8, None
    while at + 12 <= len(raw):
        length, kind = struct.unpack_from(">I4s", raw, at)
        body_end = at + 8 + length
        if body_end + 4 > len(raw):
            break
        if zlib.crc32(memoryview(raw)[at + 4 : body_end]) != int.from_bytes(raw[body_end : body_end + 4]):
            break
        if header is None:
            if kind != b"IHDR" or length != 13:
                break
            header = Header("png", *struct.unpack_from(">II", raw, at + 8))
        if kind == b"IEND":
            return header, 1
        at = body_end + 4
    raise PhotoError(f"{where}: this PNG is cut short or damaged; copy or export it again")


def _bmp(raw: bytes, where: str) -> tuple[Header, int]:
    if len(raw) < 54:
        raise PhotoError(f"{where}: this BMP is cut short; copy or export it again")
    offset, _, width, height, _, depth, packing, _ = struct.unpack_from("<IIiiHHII", raw, 10)
    height = abs(height)  # negative: rows from the top
    if packing in (0, 3) and width > 0 and len(raw) < offset + (width * depth + 31) // 32 * 4 * height:
        raise PhotoError(f"{where}: this BMP is cut short; copy or export it again")
    return Header("bmp", width, height), 1


def _pnm(raw: bytes, where: str) -> tuple[Header, int]:
    found = _PNM.match(raw)
    if not found:
        raise PhotoError(f"{where}: not a PGM or PPM header; copy or export the file again")
    width, height, top = (int(text) for text in found.groups()[1:])
    if not 0 < top < 65_536:
        raise PhotoError(f"{where}: states a brightest value of {top}, which must be 1-65535; export it again")
    channels = 1 if found[1] in b"25" else 3
    # a number in text takes at least a digit and a blank, save the last
    data = width * height * channels * (2 if found[1] in b"23" or top > 255 else 1)
    if len(raw) - found.end() < data - (found[1] in b"23"):
        raise PhotoError(f"{where}: holds fewer pixels than its header states; copy or export it again")
    return Header("pnm", width, height), 1

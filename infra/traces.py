"""Where on a disk somebody is still spoken of: files read as bytes, compressed ones and tables opened."""

import gzip
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

BLOCK = 1 << 24
SHORTEST_NAME = 4
LARGEST_MEMBER = 1 << 30
"""Bytes of one compressed file that are looked through."""
_SHA256 = re.compile(rb"[0-9a-f]{64}")
STRIDE = 16
_HEX = re.compile(rb"[0-9a-f]{64,}")
_DIGITS = bytes(byte in b"0123456789abcdef" for byte in range(256))
_FOUR = re.compile(rb"\x01{4,}")


class Needles(NamedTuple):
    """What to look for, as whole words: `words` matches any of some texts, `hashes` are looked up word by word.

    A person may have thousands of files, and a home many gigabytes: each byte is looked at once, whatever their number.
    `longest` is how much two blocks of a file must share.
    """

    words: re.Pattern[bytes]
    hashes: frozenset[bytes]
    longest: int

    def within(self, data: bytes) -> bool:
        """Whether anything of it is there."""
        return next(self._found(data), None) is not None

    def wiped(self, data: bytes) -> bytes:
        """The same with every trace overwritten."""
        for found in (self._words, self._hashes):
            kept, end = list[bytes](), 0
            for start, stop in found(data):
                kept += [data[end:start], b"erased"]
                end = stop
            data = b"".join([*kept, data[end:]])
        return data

    def _found(self, data: bytes) -> Iterator[tuple[int, int]]:
        yield from self._words(data)
        yield from self._hashes(data)

    def _words(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where they are. What stands before a word is looked at afterwards: a pattern that begins so is slow."""
        place = 0
        while match := self.words.search(data, place):
            start, stop = match.span()
            whole = start == 0 or not data[start - 1 : start].isalnum()
            if whole:
                yield start, stop
            place = stop if whole else start + 1

    def _hashes(self, data: bytes) -> Iterator[tuple[int, int]]:
        """The same, of hashes. Only where four bytes in a row, each sixteen after the last, are digits can one be."""
        if not self.hashes:
            return
        for likely in _FOUR.finditer(data[::STRIDE].translate(_DIGITS)):
            first, end = max(0, (likely.start() - 1) * STRIDE + 1), likely.end() * STRIDE
            for match in _HEX.finditer(data, first, min(end, len(data))):
                start, stop = match.span()
                around = data[start - 1 : start], data[stop : stop + 1]
                if match.group() in self.hashes and not any(byte.isalnum() for byte in around):
                    yield start, stop


def telling(name: str) -> bool:
    """Whether a name is long enough to be looked for in any text; `7` or `s7` would be found everywhere."""
    return len(name) >= SHORTEST_NAME and not name.isdigit()


def needles(texts: Iterable[str]) -> Needles:
    """What to look for, as whole words: names, paths, hashes; also as JSON and as URLs write them."""
    spelt = {form for text in texts if text for form in _spelt(text)}
    hashes = {text for text in spelt if _SHA256.fullmatch(text)}
    either = b"|".join(re.escape(text) for text in sorted(spelt - hashes, key=lambda text: (-len(text), text)))
    words = re.compile(rb"(?:" + either + rb")(?![A-Za-z0-9])" if either else rb"(?!)")
    return Needles(words, frozenset(hashes), max(map(len, spelt), default=0) + 2)


def traces(root: Path, wanted: Needles) -> Iterator[Path]:
    """What below `root` holds a trace: by its name, a file by what it says too, a link by where it leads."""
    for path in sorted(root.rglob("*")):
        named = wanted.within(str(path.relative_to(root)).encode(errors="surrogateescape"))
        if path.is_symlink():
            if named or wanted.within(str(path.readlink()).encode()):
                yield path
        elif named or (path.is_file() and holds(path, wanted)):
            yield path


def holds(path: Path, wanted: Needles) -> bool:
    """Whether a file says it, in clear or compressed (gz, zip, npz, Parquet); one that vanishes says nothing."""
    with suppress(FileNotFoundError):
        if _in_bytes(path, wanted):
            return True
        with path.open("rb") as file:
            head = file.read(4)
        if head.startswith(b"\x1f\x8b"):
            with suppress(OSError, EOFError, zlib.error), gzip.open(path) as unpacked:
                return wanted.within(unpacked.read(LARGEST_MEMBER))
        if head == b"PK\x03\x04":
            return _in_zip(path, wanted)
        if head == b"PAR1":
            return _in_parquet(path, wanted)
    return False


def _in_bytes(path: Path, wanted: Needles) -> bool:
    kept = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if wanted.within(kept + block):
                return True
            kept = block[-wanted.longest :]
    return False


def _in_zip(path: Path, wanted: Needles) -> bool:
    with suppress(zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError), zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if wanted.within(member.filename.encode()):
                return True
            with archive.open(member) as file:
                if wanted.within(file.read(LARGEST_MEMBER)):
                    return True
    return False


def _in_parquet(path: Path, wanted: Needles) -> bool:
    with suppress(pa.ArrowInvalid), pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            for column in file.read_row_group(number).columns:
                if any(wanted.within(str(value).encode()) for value in column.unique().to_pylist()):
                    return True
    return False


def _spelt(text: str) -> set[bytes]:
    return {text.encode(), json.dumps(text)[1:-1].encode(), quote(text).encode()}

"""Damage to files: what disks, transfers and attackers do."""

import re
import struct
from collections.abc import Callable

import numpy as np

Mutation = Callable[[bytearray, np.random.Generator], None]

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
HOSTILE_WORDS = (
    *(word.encode() for word in ("nan", " inf ", "-inf", "1e400", " -7 ", "[", "}", '"', "/", ",,,", "../../x.png")),
    *(b"\x00" * 50, b"\r", b"\n\n", b"\nf 1 2\n", b"\xff\xfe", b"-999999"),
)
HOSTILE_NUMBERS = (b"0", b"-1", b"1", b"65535", b"65536", b"2147483647", b"4294967295", b"9" * 30, b"nan", b"1e308")
HOSTILE_PACKED = (
    *(struct.pack("<d", value) for value in (float("nan"), float("inf"), -1e308, 1e-320, -1e9, 0.0)),
    *(struct.pack("<I", value) for value in (0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1)),
    *(struct.pack("<H", value) for value in (0, 1, 2**15, 2**16 - 1)),
)


def _place(data: bytearray, rng: np.random.Generator) -> int:
    return int(rng.integers(len(data)))


def flip_bytes(data: bytearray, rng: np.random.Generator) -> None:
    """One to twenty bytes become any others."""
    for place in rng.integers(0, len(data), int(rng.integers(1, 20))):
        data[place] = int(rng.integers(256))


def flip_a_bit(data: bytearray, rng: np.random.Generator) -> None:
    data[_place(data, rng)] ^= 1 << int(rng.integers(8))


def truncate(data: bytearray, rng: np.random.Generator) -> None:
    del data[_place(data, rng) :]


def drop_a_piece(data: bytearray, rng: np.random.Generator) -> None:
    start = _place(data, rng)
    del data[start : start + int(rng.integers(1, 200))]


def repeat_a_piece(data: bytearray, rng: np.random.Generator) -> None:
    start = _place(data, rng)
    data[start:start] = data[start : start + int(rng.integers(1, 200))]


def swap_two_pieces(data: bytearray, rng: np.random.Generator) -> None:
    long = int(rng.integers(1, 60))
    a, b = _place(data, rng), _place(data, rng)
    first, second = bytes(data[a : a + long]), bytes(data[b : b + long])
    data[a : a + long], data[b : b + long] = second, first


def inflate_a_number(data: bytearray, rng: np.random.Generator) -> None:
    """A written number somewhere becomes a hostile one, or eight bytes a hostile packed one."""
    if rng.random() < 0.5:
        start = _place(data, rng)
        packed = HOSTILE_PACKED[int(rng.integers(len(HOSTILE_PACKED)))]
        data[start : start + len(packed)] = packed
        return
    found = NUMBER.search(data, _place(data, rng))
    if found:
        data[found.start() : found.end()] = HOSTILE_NUMBERS[int(rng.integers(len(HOSTILE_NUMBERS)))]


def lie_in_the_header(data: bytearray, rng: np.random.Generator) -> None:
    """As `inflate_a_number`, among the first 120 bytes, where counts and sizes are declared."""
    head = bytearray(data[:120])
    inflate_a_number(head, rng)
    data[:120] = head


def lengthen_a_number(data: bytearray, rng: np.random.Generator) -> None:
    place = _place(data, rng)
    data[place:place] = b"9" * int(rng.integers(1, 400))


def say_a_hostile_word(data: bytearray, rng: np.random.Generator) -> None:
    place = _place(data, rng)
    data[place:place] = HOSTILE_WORDS[int(rng.integers(len(HOSTILE_WORDS)))]


MUTATIONS: tuple[Mutation, ...] = (
    flip_bytes,
    flip_a_bit,
    truncate,
    drop_a_piece,
    repeat_a_piece,
    swap_two_pieces,
    inflate_a_number,
    lie_in_the_header,
    lengthen_a_number,
    say_a_hostile_word,
)


def mutated(original: bytes, rng: np.random.Generator) -> bytes:
    """The file after one to three damages."""
    data = bytearray(original)
    for _ in range(int(rng.integers(1, 4))):
        if data:
            MUTATIONS[int(rng.integers(len(MUTATIONS)))](data, rng)
    return bytes(data)

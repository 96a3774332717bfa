"""Where the fields of a VRML 2 file are: names and brackets in order, the long number lists stepped over."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from models.errors import ScanError

# Names, brackets and the few loose numbers of a scene; the lists that hold the mesh count as one.
_MAX_TOKENS = 100_000
_MAX_DEPTH = 64
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_LINE_END = re.compile(rb"[\n\r]|\Z")
_TOKEN = re.compile(rb"[{}\[\]]|[^\s,{}\[\]]++")
_BRACKET = re.compile(rb"[\[\]{}]")


class Field(NamedTuple):
    """A run of text in a node: `path` holds the types of the nodes around it, outermost first.

    A list `name [ text ]` has its name; loose words between two brackets (`solid FALSE`) have none.
    """

    path: tuple[bytes, ...]
    name: bytes | None
    text: bytes


def fields(text: bytes, where: str) -> Iterator[Field]:
    """All fields of a scene in order; every node yields at least the words before its closing brace.

    Prototypes, scripts and USE are not followed. Raises `ScanError` when brackets do not match.
    """
    text = _without_strings_and_comments(text, where)
    stack: list[bytes] = []
    words: list[bytes] = []
    position = 0
    for _ in range(_MAX_TOKENS):
        found = _TOKEN.search(text, position)
        if found is None:
            break
        token, position = found[0], found.end()
        if token not in (b"{", b"[", b"}", b"]"):
            words.append(token)
            continue
        named = words.pop() if token in (b"{", b"[") and words else None
        yield Field(_path(stack), None, b" ".join(words))
        words = []
        if token == b"[" and (end := _end_of_flat_list(text, position)) is not None:
            yield Field(_path(stack), named, text[position:end])
            position = end + 1
        elif token in (b"{", b"["):
            stack.append(b"[" if token == b"[" else named or b"")
            if len(stack) > _MAX_DEPTH:
                raise ScanError(f"{where}: nodes within nodes, more than {_MAX_DEPTH} deep: not a VRML mesh")
        elif not stack or (stack.pop() == b"[") != (token == b"]"):
            raise ScanError(f"{where}: a closing bracket without its opening one: the file is damaged")
    else:
        raise ScanError(f"{where}: more than {_MAX_TOKENS} words outside number lists: not a VRML mesh")
    if stack:
        raise ScanError(f"{where}: {len(stack)} brackets are never closed: the file is cut short")


def _path(stack: list[bytes]) -> tuple[bytes, ...]:
    return tuple(entry for entry in stack if entry != b"[")


def _end_of_flat_list(text: bytes, start: int) -> int | None:
    """Where the list opened before `start` closes, or None when it holds nodes or lists."""
    found = _BRACKET.search(text, start)
    return found.start() if found is not None and found[0] == b"]" else None


def _without_strings_and_comments(text: bytes, where: str) -> bytes:
    """`text` with every string and comment replaced by a space; a `#` within a string begins no comment."""
    pieces: list[bytes] = []
    start, quote, comment = 0, text.find(b'"'), text.find(b"#")
    while quote >= 0 or comment >= 0:
        if comment < 0 or 0 <= quote < comment:
            begin, found = quote, _STRING.match(text, quote)
        else:
            begin, found = comment, _LINE_END.search(text, comment)
        if found is None:
            raise ScanError(f"{where}: a string is never closed: the file is cut short")
        pieces.append(text[start:begin])
        start = found.end()
        quote = text.find(b'"', start) if 0 <= quote < start else quote
        comment = text.find(b"#", start) if 0 <= comment < start else comment
    pieces.append(text[start:])
    return b" ".join(pieces)

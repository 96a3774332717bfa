"""A protocol's hash changes with its content and with nothing else."""

import pytest

from models.errors import DataError
from models.metrics.protocol import Exclusion, Member, Protocol

GALLERY = (Member("a/1", "a"), Member("b/1", "b"))
PROBES = (Member("a/2", "a"), Member("b/2", "b"))


def test_order_and_name_do_not_change_the_hash():
    first = Protocol("one", GALLERY, PROBES, (Exclusion("c/1", "black"), Exclusion("d/1", "torn")))
    second = Protocol("two", GALLERY[::-1], PROBES[::-1], (Exclusion("d/1", "torn"), Exclusion("c/1", "black")))
    assert first.hash() == second.hash()
    assert len(first.hash()) == 64


@pytest.mark.parametrize(
    "other",
    [
        Protocol("x", GALLERY[:1], PROBES),
        Protocol("x", GALLERY, PROBES[:1]),
        Protocol("x", PROBES, GALLERY),
        Protocol("x", GALLERY, (Member("a/2", "b"), PROBES[1])),
        Protocol("x", GALLERY, PROBES, (Exclusion("c/1", "black"),)),
    ],
)
def test_any_change_of_content_changes_the_hash(other):
    assert other.hash() != Protocol("x", GALLERY, PROBES).hash()


@pytest.mark.parametrize(
    "parts",
    [(GALLERY, GALLERY), (GALLERY * 2, PROBES), (GALLERY, PROBES, (Exclusion("a/2", "black"),))],
)
def test_one_scan_cannot_have_two_roles(parts):
    with pytest.raises(DataError, match="more than once"):
        Protocol("x", *parts)

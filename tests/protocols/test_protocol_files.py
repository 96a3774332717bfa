"""Protocols and splits survive as CSV, and a changed one is noticed."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from models.metrics.protocol import Exclusion, Member, Protocol
from models.protocols.files import aggregates_csv, parse_protocol, parse_split, protocol_csv, split_csv
from models.protocols.splits import Aggregate, Example, Split

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
PROTOCOL = Protocol("p", (Member("a/1", "a"),), (Member("a/2", "a"),), (Exclusion("b,1", 'no "neutral"\nscan'),))
SPLIT = Split("s", (Example("1", "a", "f"),), (Example("2", "b", "m"),), (Exclusion("3", "why"),))


@given(st.lists(TEXT, min_size=3, max_size=12, unique=True), TEXT)
def test_any_protocol_and_split_read_back_as_they_were(ids, other):
    protocol = Protocol(
        "p", (Member(ids[0], other),), tuple(Member(name, other) for name in ids[2:]), (Exclusion(ids[1], other),)
    )
    assert parse_protocol(protocol_csv(protocol), "p", protocol.hash()) == protocol
    split = Split("s", (Example(ids[0], other, "x"),), (Example(ids[1], other, "y"),), (Exclusion(ids[2], other),))
    assert parse_split(split_csv(split), "s", split.hash()) == split


def test_the_form_is_plain_csv():
    assert protocol_csv(PROTOCOL).decode() == (
        'role,id,subject,reason\ngallery,a/1,a,\nprobe,a/2,a,\nexcluded,"b,1",,"no ""neutral""\nscan"\n'
    )
    assert split_csv(SPLIT).decode().splitlines() == [
        "part,id,subject,label,reason",
        "training,1,a,f,",
        "validation,2,b,m,",
        "excluded,3,,,why",
    ]


def test_aggregates_are_one_row_each():
    rows = [Aggregate("training", "a", "f", ("1", "2", "3")), Aggregate("validation", "b", "m", ("4", "5", "6"))]
    found = list(csv.DictReader(io.StringIO(aggregates_csv(rows).decode())))
    assert found[1] == {
        "part": "validation",
        "subject": "b",
        "label": "m",
        "photo_1": "4",
        "photo_2": "5",
        "photo_3": "6",
    }


def test_a_changed_file_is_noticed():
    for data, other in ((protocol_csv(PROTOCOL), b"a/2,b"), (protocol_csv(PROTOCOL), b"a/3,a")):
        with pytest.raises(DataError, match="it was changed"):
            parse_protocol(data.replace(b"a/2,a", other), "p", PROTOCOL.hash())
    with pytest.raises(DataError, match="it was changed"):
        parse_split(split_csv(SPLIT).replace(b",m,", b",f,"), "s", SPLIT.hash())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "p:1: the columns"),
        (b"role,id\n", "p:1: the columns"),
        (b"role,id,subject,reason\nprobe,a\n", "p:2: not 4 cells"),
        (b"role,id,subject,reason\nsomething,a,b,c\n", "p:2: not 4 cells"),
        (b'role,id,subject,reason\nprobe,"a', "p:2: "),
        (b"role,id,subject,reason\nprobe,a,b,\nprobe,a,b,\n", "listed more than once"),
    ],
)
def test_damage_is_refused(data, reason):
    with pytest.raises(DataError, match=reason):
        parse_protocol(data, "p")

"""Paper A's galleries and probes, from indices of collections of the published sizes."""

import random

import pytest

from models.errors import DataError
from models.metrics.protocol import Member, Protocol
from models.protocols.published import PAPER_A, coverage, missing_from, unmet
from models.protocols.scans import (
    bosphorus_protocol,
    bu3dfe_protocol,
    bu4dfe_protocol,
    frgc_protocol,
    merged_protocol,
)
from models.readers.bosphorus import index_bosphorus
from models.readers.bu3dfe import stream_bu3dfe
from models.readers.bu4dfe import index_bu4dfe
from models.readers.frgc import index_frgc
from tests.protocols import collections_by_name as names


def sizes(protocol):
    return len(protocol.gallery), len(protocol.probes)


@pytest.fixture(scope="module")
def indices():
    return {
        "bu3dfe": list(stream_bu3dfe(names.bu3dfe())),
        "frgc": list(index_frgc(names.frgc())),
        "bosphorus": list(index_bosphorus(names.bosphorus())),
    }


@pytest.fixture(scope="module")
def protocols(indices):
    builders = {"bu3dfe": bu3dfe_protocol, "frgc": frgc_protocol, "bosphorus": bosphorus_protocol}
    return {name: builders[name](records) for name, records in indices.items()}


def test_galleries_and_probes_have_the_papers_sizes(protocols):
    assert {name: sizes(protocol) for name, protocol in protocols.items()} == {
        "bu3dfe": (100, 2400),
        "frgc": (466, 3541),
        "bosphorus": (105, 2797),
    }
    for protocol in protocols.values():
        enrolled = [member.subject for member in protocol.gallery]
        assert len(set(enrolled)) == len(enrolled), "one scan a person"
        assert {member.subject for member in protocol.probes} == set(enrolled)


def test_the_merged_set_has_671_people_and_8738_probes(protocols):
    merged = merged_protocol(protocols)
    assert sizes(merged) == (671, 8738) == PAPER_A["merged"]
    assert merged.gallery[0].id.startswith("bu3dfe/F0001/")
    assert len({member.subject for member in merged.gallery}) == 671


def test_people_of_equal_names_in_two_sets_stay_two_people():
    one = Protocol("a", (Member("x", "1"),), (Member("y", "1"),))
    merged = merged_protocol({"a": one, "b": one})
    assert {member.subject for member in merged.gallery} == {"a/1", "b/1"}


def test_bu4dfe_takes_five_equally_spaced_frames_and_enrols_the_first_of_each_person():
    protocol = bu4dfe_protocol(index_bu4dfe(names.bu4dfe(10)))
    assert sizes(protocol) == (101, 2929) == PAPER_A["bu4dfe"]
    assert {member.id.partition("/")[2] for member in protocol.gallery} == {"Angry/000.wrl"}
    mine = sorted(member.id for member in protocol.probes if member.id.startswith("M043/Happy/"))
    assert mine == [f"M043/Happy/{frame:03d}.wrl" for frame in (0, 2, 4, 6, 9)]


def test_frames_are_counted_as_numbers_and_a_short_sequence_is_left_out():
    listing = [f"F001/Happy/{frame:03d}.wrl" for frame in range(999, 1010)] + [f"F001/Sad/00{k}.wrl" for k in range(4)]
    protocol = bu4dfe_protocol(index_bu4dfe(listing))
    assert protocol.gallery_ids == ("F001/Happy/999.wrl",)
    assert protocol.probe_ids[-1] == "F001/Happy/1009.wrl"
    assert {left.reason for left in protocol.exclusions} == {"F001 sad has 4 frames, 5 are needed"}


def test_the_order_of_the_index_does_not_matter(indices, protocols):
    for name, build in (("bu3dfe", bu3dfe_protocol), ("frgc", frgc_protocol), ("bosphorus", bosphorus_protocol)):
        shuffled = list(indices[name])
        random.Random(0).shuffle(shuffled)
        assert build(shuffled).hash() == protocols[name].hash()


def test_frgc_enrols_by_session_then_by_number_and_leaves_the_training_partition_out():
    listing = [
        "Spring2004range/04201d5.abs.gz",
        "Fall2003range/04201d102.abs.gz",
        "Fall2003range/04201d99.abs.gz",
        "Spring2003range/04201d1.abs.gz",
        "Fall2003range/04201d99.abs",
    ]
    protocol = frgc_protocol(index_frgc(listing))
    assert protocol.gallery_ids == ("Fall2003range/04201d99.abs",)
    assert protocol.probe_ids == ("Fall2003range/04201d102.abs.gz", "Spring2004range/04201d5.abs.gz")
    assert dict(protocol.exclusions) == {
        "Spring2003range/04201d1.abs.gz": "Spring2003: not of the FRGC v2 test set",
        "Fall2003range/04201d99.abs.gz": "the same recording as Fall2003range/04201d99.abs",
    }


def test_bosphorus_enrols_the_first_neutral_and_searches_the_later_ones():
    stems = ["bs000_N_N_10", "bs000_N_N_2", "bs000_E_FEAR_0", "bs000_YR_R20_0", "bs000_IGN_X_0", "bs001_E_FEAR_0"]
    protocol = bosphorus_protocol(index_bosphorus(f"{stem[:5]}/{stem}.bnt" for stem in stems))
    assert protocol.gallery_ids == ("bs000/bs000_N_N_2.bnt",)
    assert set(protocol.probe_ids) == {"bs000/bs000_N_N_10.bnt", "bs000/bs000_E_FEAR_0.bnt"}
    assert {left.id[6:]: left.reason for left in protocol.exclusions} == {
        "bs000_YR_R20_0.bnt": "YR: not of the expression subset",
        "bs000_IGN_X_0.bnt": "IGN: not of the expression subset",
        "bs001_E_FEAR_0.bnt": "no neutral scan",
    }


def test_records_of_another_data_set_are_refused(indices):
    with pytest.raises(DataError, match="has no collection: index the data set with its own reader"):
        frgc_protocol(indices["bosphorus"])
    with pytest.raises(DataError, match="has no kind"):
        bosphorus_protocol(indices["frgc"])
    with pytest.raises(DataError, match="has no frame"):
        bu4dfe_protocol(indices["bu3dfe"][1:12], frames=2)
    with pytest.raises(DataError, match="expression None"):
        bu4dfe_protocol(indices["frgc"], frames=2)


def test_a_whole_collection_lacks_nothing(indices, protocols):
    for name, protocol in protocols.items():
        found = coverage(protocol, indices[name])
        assert found.complete, found.report()
        assert (found.missing, found.surplus) == ((), ())
    report = coverage(protocols["frgc"], indices["frgc"]).report()
    assert "gallery 466 of 466, probes 3541 of 3541" in report
    assert "943 excluded: Spring2003: not of the FRGC v2 test set" in report


def test_what_is_missing_or_too_much_is_named(indices):
    kept = [record for record in indices["bu3dfe"] if not record.path.startswith(("F0003", "M0002/M0002_HA03"))]
    extra = next(stream_bu3dfe(["F0099/F0099_NE00WH_F3D.wrl"]))
    found = coverage(bu3dfe_protocol([*kept, extra]), [*kept, extra])
    assert not found.complete
    assert len(found.missing) == 26
    assert "M0002 happy 3" in found.missing
    assert found.surplus == ("F0099 neutral 0",)
    lines = found.report().splitlines()
    assert lines[0] == "bu3dfe: gallery 100 of 100, probes 2375 of 2400"
    assert lines[1].startswith("  26 missing: F0003 afraid 1, ")
    assert lines[1].endswith(" and 16 more")
    assert lines[2] == "  1 not in the published set: F0099 neutral 0"


def test_missing_people_of_bosphorus_and_sequences_of_bu4dfe_are_named(indices):
    rest = [record for record in indices["bosphorus"] if record.subject != "bs042"]
    assert missing_from("bosphorus", rest) == (("bs042",), ())
    frames = [name for name in names.bu4dfe(5) if not name.startswith("M001/Fear")]
    assert missing_from("bu4dfe", index_bu4dfe(frames)) == (("M001 afraid",), ())
    assert missing_from("frgc", indices["frgc"]) == ((), ()), "its recordings are not known by name"


def test_a_stored_protocol_is_checked_against_an_index(protocols, indices):
    present = [record.path for record in indices["bosphorus"]]
    assert unmet(protocols["bosphorus"], present) == ()
    gone = protocols["bosphorus"].probe_ids[5]
    assert unmet(protocols["bosphorus"], set(present) - {gone}) == (gone,)

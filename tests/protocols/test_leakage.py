"""Each guard names exactly the rows that a slow comparison of all pairs names."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.protocols.leakage import (
    benchmark_in_training,
    one_recording_on_both_sides,
    people_in_two_sets,
    sessions_as_two_people,
    shared_with_vggface1,
    subjects_on_both_sides,
)


@dataclass(frozen=True)
class Row:
    path: str
    sha256: str = ""
    subject: str | None = None
    role: str = "train"
    labels: dict[str, Any] = field(default_factory=dict)


ROWS = st.lists(
    st.builds(
        Row,
        st.integers(0, 99).map(lambda number: f"x/{number}.jpg"),
        st.sampled_from(["", *(letter * 64 for letter in "abcdef")]),
        st.sampled_from([None, "anna", "berta", "carla", "dora"]),
        st.sampled_from(["train", "gallery", "probe", "validation"]),
    ),
    max_size=12,
    unique_by=lambda row: row.path,
)


def paths(leaks):
    return [leak.path for leak in leaks]


@given(ROWS, ROWS, st.booleans())
def test_training_rows_with_a_test_file_or_a_test_person_are_all_named(training, benchmark, same_people: bool):
    def leaks(row: Row) -> bool:
        same_file = any(row.sha256 and row.sha256 == other.sha256 for other in benchmark)
        same_person = any(row.subject and row.subject == other.subject for other in benchmark)
        return same_file or (same_people and same_person)

    assert paths(benchmark_in_training(training, benchmark, same_people)) == [
        row.path for row in training if leaks(row)
    ]


@given(ROWS)
def test_a_person_on_another_side_than_before_is_named(rows):
    side = {"gallery": "test", "probe": "test"}
    wrong = []
    for place, row in enumerate(rows):
        before = next((other for other in rows[:place] if other.subject == row.subject), None)
        if row.subject and before and side.get(before.role, before.role) != side.get(row.role, row.role):
            wrong.append(row.path)
    assert paths(subjects_on_both_sides(rows)) == wrong


@given(ROWS, ROWS)
def test_a_person_of_two_sets_is_found_by_bytes_and_by_name_only_where_the_names_are_of_one_data_set(first, second):
    known = {row.sha256 for row in first} - {""}
    by_bytes = [row.path for row in second if row.sha256 in known]
    assert paths(people_in_two_sets({"bu3dfe": first, "frgc": second})) == by_bytes
    names = {row.subject for row in first} - {None}
    either = [row.path for row in second if row.sha256 in known or row.subject in names]
    same = {"old": "bu3dfe", "new": "bu3dfe"}
    assert paths(people_in_two_sets({"old": first, "new": second}, same)) == either


def test_the_leak_says_what_it_collides_with():
    (leak,) = benchmark_in_training([Row("mine/1.jpg", "a" * 64)], [Row("F0001/x.wrl", "a" * 64)], same_people=False)
    assert leak == ("a test file in training", "mine/1.jpg", "the same bytes as F0001/x.wrl")


def test_equal_names_in_two_data_sets_are_a_coincidence():
    training, benchmark = [Row("F0001/1.jpg", "a" * 64, "F0001")], [Row("F0001/x.wrl", "b" * 64, "F0001")]
    assert paths(benchmark_in_training(training, benchmark, same_people=False)) == []
    assert paths(benchmark_in_training(training, benchmark, same_people=True)) == ["F0001/1.jpg"]


KDEF_A, KDEF_B = Row("AF01/AF01ANFL.JPG", "1" * 64, "AF01"), Row("BF01/BF01HAS.JPG", "2" * 64, "BF01")


def test_kdefs_sessions_are_one_person_whatever_their_folders_say():
    """Read as anyone's photos, each session is a folder and so a subject of its own."""
    (leak,) = sessions_as_two_people([KDEF_A, KDEF_B, Row("AF02/AF02ANFL.JPG", "3" * 64, "AF02")])
    assert leak.path == "BF01/BF01HAS.JPG"
    assert "BF01 is AF01" in leak.why
    assert paths(sessions_as_two_people([KDEF_A, Row("BF01/BF01HAS.JPG", subject="AF01")])) == []


def test_kdefs_sessions_count_as_one_person_on_two_sides_and_against_a_benchmark():
    probe = Row("BF01/BF01HAS.JPG", "2" * 64, "F01", "validation")
    assert paths(subjects_on_both_sides([KDEF_A, probe])) == [probe.path]
    assert paths(benchmark_in_training([KDEF_A], [probe], same_people=False)) == [KDEF_A.path]
    assert paths(people_in_two_sets({"mine": [KDEF_A], "kdef": [probe]})) == [probe.path]


def test_wrongly_published_kdef_names_are_known_and_other_names_are_not():
    """AF31V is one; a subject called AF01 with photos of another naming is anybody's."""
    assert paths(
        sessions_as_two_people([Row("AF31/AF31V.JPG", subject="AF31"), Row("b/BF31SUS.JPG", subject="b")])
    ) == ["b/BF31SUS.JPG"]
    plain = [Row("AF01/1.jpg", subject="AF01"), Row("BF01/2.jpg", subject="BF01"), Row("x/AF99ANS.JPG", subject="x")]
    assert paths(sessions_as_two_people(plain)) == []


def test_one_recording_is_told_by_its_number_its_sequence_its_bytes_or_its_name():
    def frgc(number: int, collection: str) -> Row:
        return Row(f"{collection}/{number}.abs", labels={"collection": collection, "recording": str(number)})

    def frame(number: int, expression: str, who: str = "F001") -> Row:
        return Row(f"{who}/{expression}/{number}.wrl", "", who, labels={"frame": f"{number}", "expression": expression})

    assert paths(one_recording_on_both_sides([frgc(1, "Fall2003")], [frgc(1, "Fall2003"), frgc(1, "Spring2004")])) == [
        "Fall2003/1.abs"
    ]
    probes = [frame(9, "angry"), frame(9, "happy"), frame(9, "angry", "F002")]
    assert paths(one_recording_on_both_sides([frame(0, "angry")], probes)) == ["F001/angry/9.wrl"]
    same = [Row("b/9.obj", "a" * 64), Row("a/1.ply", "b" * 64), Row("a/1.2.obj", "c" * 64)]
    assert paths(one_recording_on_both_sides([Row("a/1.obj", "a" * 64)], same)) == ["b/9.obj", "a/1.ply"]


def test_people_of_vggface1_are_named_by_the_published_list():
    rows = [Row("train/n000002/1.jpg", subject="n000002"), Row("train/n000003/1.jpg", subject="n000003")]
    assert paths(shared_with_vggface1(rows, frozenset({"n000003"}))) == ["train/n000003/1.jpg"]
    assert paths(shared_with_vggface1(rows, frozenset())) == []

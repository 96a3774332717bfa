"""Sets of photos with the right answers: what is trained on is what the protocol says."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from models.classifiers.design import build_design
from models.errors import DataError
from models.protocols.splits import Aggregate


def side(part: str, *rows: tuple[str, str, tuple[str, ...]]) -> list[Aggregate]:
    return [Aggregate(part, who, label, ids) for who, label, ids in rows]


TRAINING = side("training", ("ann", "sad", ("1", "2")), ("bob", "happy", ("3",)), ("ann", "happy", ("4",)))
VALIDATION = side("validation", ("cy", "sad", ("5",)))
GENDER = {"1": "f", "2": "f", "3": "m", "4": "f", "5": "m"}


def test_answers_are_numbers_of_the_names_in_order():
    design = build_design(TRAINING, VALIDATION, "expression", "hash", {"gender": GENDER})
    assert design.tasks == {"expression": ("happy", "sad"), "gender": ("f", "m")}
    assert_array_equal(design.training.answers, [[1, 0], [0, 1], [0, 0]])
    assert_array_equal(design.validation.answers, [[1, 1]])
    assert design.training.photos == (("1", "2"), ("3",), ("4",))
    assert design.validation.subjects == ("cy",)


def test_one_of_its_tasks_alone_has_the_same_inputs():
    both = build_design(TRAINING, VALIDATION, "expression", "hash", {"gender": GENDER})
    alone = both.only("gender")
    assert alone.tasks == {"gender": ("f", "m")}
    assert alone.training.photos == both.training.photos
    assert_array_equal(alone.training.answers, both.training.answers[:, [1]])


def test_the_digest_tells_designs_apart():
    design = build_design(TRAINING, VALIDATION, "expression", "hash")
    others = [
        build_design(TRAINING[::-1], VALIDATION, "expression", "hash"),
        build_design(TRAINING, VALIDATION, "mood", "hash"),
        build_design(TRAINING, VALIDATION, "expression", "other"),
        build_design(TRAINING, [VALIDATION[0]._replace(subject="di")], "expression", "hash"),
    ]
    assert len({design.digest(), *(each.digest() for each in others)}) == 5
    assert build_design(list(TRAINING), VALIDATION, "expression", "hash").digest() == design.digest()


@pytest.mark.parametrize(
    ("training", "validation", "further", "message"),
    [
        ([], VALIDATION, {}, "0 inputs to train on"),
        (TRAINING[:1], VALIDATION, {}, "the only class is sad"),
        (TRAINING, side("validation", ("cy", "calm", ("5",))), {}, "nobody trains calm"),
        (TRAINING, VALIDATION, {"gender": {**GENDER, "2": "m"}}, "give all photos the same"),
        (TRAINING, VALIDATION, {"gender": {"1": "f"}}, "give all photos the same"),
    ],
)
def test_designs_that_teach_nothing_are_refused(training, validation, further, message: str):
    with pytest.raises(DataError, match=message):
        build_design(training, validation, "expression", "hash", further)


def test_answers_of_a_great_many_inputs_take_little_room():
    many = [TRAINING[number % 3] for number in range(3000)]
    assert build_design(many, VALIDATION, "expression", "h").training.answers.dtype == np.int64

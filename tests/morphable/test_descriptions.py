import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from models.errors import ConfigurationError
from models.morphable.builtin import EXPRESSIONS, load_head
from models.morphable.descriptions import (
    SLOTS,
    VOCABULARY,
    draw_intensities,
    expression_intensities,
    read_words,
    words_of,
)


def test_words_say_what_the_attributes_are():
    people = np.array(
        [[0.1, 0.6, 0.3, 0.9, 0.05, 0.05], [0.9, 0.9, 0.6, 0.1, 0.1, 0.8], [0.2, 0.75, 0.45, 0.4, 0.3, 0.3]],
        dtype=np.float32,
    )
    described = [[slot.words[number - 1] for slot, number in zip(SLOTS, row, strict=True)] for row in words_of(people)]
    assert described == [
        ["man", "young", "slim", "african"],
        ["woman", "old", "heavy", "caucasian"],
        ["man", "middle-aged", "average", "mixed"],
    ]


def test_every_word_is_said_of_a_fair_share_of_the_population():
    words = words_of(load_head().bank_attributes)
    for column, count in zip(words.T, VOCABULARY, strict=True):
        shares = np.bincount(column, minlength=count + 1) / len(column)
        assert shares[0] == 0
        assert shares[1:].min() > 0.1


@given(st.tuples(*(st.integers(0, count) for count in VOCABULARY)), st.randoms())
def test_reading_undoes_saying_in_whatever_order(numbers, random):
    said = [slot.words[number - 1] for slot, number in zip(SLOTS, numbers, strict=True) if number]
    random.shuffle(said)
    assert_array_equal(read_words(", ".join(said).upper()), numbers)


@pytest.mark.parametrize(("text", "reason"), [("tall man", "tall"), ("young old man", "two things about age")])
def test_a_description_that_makes_no_sense_says_why(text, reason):
    with pytest.raises(ConfigurationError, match=reason):
        read_words(text)


def test_expressions_blend_and_neutral_is_nothing():
    blend = expression_intensities({"HA": 0.5, "SU": 0.25})
    assert_allclose(blend[[EXPRESSIONS.index("HA"), EXPRESSIONS.index("SU")]], [0.5, 0.25])
    assert blend.sum() == 0.75
    assert not expression_intensities({"NE": 1.0}).any()


@pytest.mark.parametrize("shares", [{"XX": 0.5}, {"HA": 1.5}, {"HA": -0.1}, {"HA": float("nan")}])
def test_impossible_expressions_are_refused(shares):
    with pytest.raises(ConfigurationError, match="expression"):
        expression_intensities(shares)


def test_drawn_conditions_cover_the_seven_classes_alike_at_four_levels():
    drawn = draw_intensities(np.random.default_rng(0), 7000)
    shares = np.append((drawn > 0).mean(axis=0), (drawn == 0).all(axis=1).mean())
    assert_allclose(shares, 1 / 7, atol=0.02)
    assert set(np.unique(drawn)) == {0.0, 0.25, 0.5, 0.75, 1.0}
    assert ((drawn > 0).sum(axis=1) <= 1).all()

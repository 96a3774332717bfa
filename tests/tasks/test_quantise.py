"""When the recogniser in 8-bit integers may be used."""

import math

import pytest

from tasks.quantise import LARGEST_FALL, verdict

SIZES = {"fp32": 400, "int8": 100}


@pytest.mark.parametrize(
    ("fp32", "int8", "accepted"),
    [
        (0.965, 0.965, True),
        (0.965, 0.970, True),
        (0.965, 0.965 - 0.9 * LARGEST_FALL, True),
        (0.965, 0.965 - 1.1 * LARGEST_FALL, False),
        (0.965, 0.5, False),
        (0.965, math.nan, False),
        (math.nan, 0.965, False),
    ],
)
def test_it_is_kept_where_rank_1_falls_by_a_tenth_of_a_point_at_most(fp32: float, int8: float, accepted: bool):
    found = verdict({"fp32": fp32, "int8": int8}, SIZES)
    assert found["accepted"] is accepted
    assert (found["reason"] == "") is accepted


def test_the_reason_names_the_fall():
    assert (
        verdict({"fp32": 0.965, "int8": 0.952}, SIZES)["reason"] == "fused rank-1 falls by 1.30 points, more than 0.1"
    )

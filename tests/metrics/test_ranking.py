"""People in the order of their nearest template, against a slow obvious version."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from models.metrics.ranking import rank_people


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=30), st.integers(1, 7))
def test_each_person_stands_where_their_nearest_template_is(pairs: list[tuple[int, int]], most: int):
    owners = np.array([who for who, _ in pairs], dtype=np.int64)
    distances = np.array([far / 4 for _, far in pairs], dtype=np.float32)
    nearest = {who: min((far / 4, row) for row, (whose, far) in enumerate(pairs) if whose == who) for who, _ in pairs}
    expected = sorted((far, row, who) for who, (far, row) in nearest.items())[:most]
    assert [(each.distance, each.row, each.person) for each in rank_people(distances, owners, most)] == expected


def test_a_distance_that_is_not_finite_is_no_place():
    with pytest.raises(DataError, match="not finite"):
        rank_people(np.array([np.nan], np.float32), np.array([1], np.int64), 1)

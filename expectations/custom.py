"""Expectations about lists of files that Great Expectations does not have. Import late: its import takes seconds."""

# pyright: reportPrivateImportUsage=false, reportUnusedClass=false, reportIncompatibleVariableOverride=false
# (the package registers metrics by subclassing and narrows its own fields in every expectation it ships)

from typing import Any, ClassVar, Literal

import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    ColumnPairMapMetricProvider,
    MulticolumnMapMetricProvider,
    column_condition_partial,
    column_pair_condition_partial,
    multicolumn_condition_partial,
)

COLUMN_PAIR_DOMAIN = ("batch_id", "table", "column_A", "column_B", "row_condition", "condition_parser", "ignore_row_if")
COLUMN_LIST_DOMAIN = ("batch_id", "table", "column_list", "row_condition", "condition_parser", "ignore_row_if")


class _GroupSize(ColumnMapMetricProvider):
    """Whether a value occurs often enough."""

    condition_metric_name = "column_values.group_size"
    condition_value_keys = ("fewest",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, fewest: int, **_: Any) -> pd.Series:  # noqa: N805
        return column.map(column.value_counts()) >= fewest


class ExpectColumnValuesToOccurAtLeast(ColumnMapExpectation):
    """Every value stands in at least `fewest` rows (photos a subject)."""

    fewest: int
    map_metric: ClassVar[str] = "column_values.group_size"
    success_keys: ClassVar[tuple[str, ...]] = ("fewest", "mostly")


class _OneForEach(ColumnPairMapMetricProvider):
    """Whether all rows with the same A have the same B."""

    condition_metric_name = "column_pair_values.one_for_each"
    condition_domain_keys = COLUMN_PAIR_DOMAIN
    condition_value_keys = ()

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_A: pd.Series, column_B: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        return column_B.groupby(column_A.to_numpy()).transform("nunique") <= 1


class ExpectColumnPairValuesToHaveOneBForEachA(ColumnPairMapExpectation):
    """A decides B: one subject for each content hash, one split for each subject."""

    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"
    map_metric: ClassVar[str] = "column_pair_values.one_for_each"
    domain_keys: ClassVar[tuple[str, ...]] = COLUMN_PAIR_DOMAIN


class _PointsInside(MulticolumnMapMetricProvider):
    """Whether a row's points lie inside its picture."""

    condition_metric_name = "multicolumn_values.points_inside"
    condition_domain_keys = COLUMN_LIST_DOMAIN
    condition_value_keys = ("many",)

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, many: int, **_: Any) -> pd.Series:  # noqa: N805
        inside = [points_inside(points, width, height, many) for points, width, height in column_list.to_numpy()]
        return pd.Series(inside, index=column_list.index, dtype=bool)


class ExpectPointsToLieInsideThePicture(MulticolumnMapExpectation):
    """`column_list` names points ((x, y), ... in the pixel frame), width and height; there are `many` points."""

    many: int
    ignore_row_if: Literal["any_value_is_missing"] = "any_value_is_missing"
    map_metric: ClassVar[str] = "multicolumn_values.points_inside"
    domain_keys: ClassVar[tuple[str, ...]] = COLUMN_LIST_DOMAIN
    success_keys: ClassVar[tuple[str, ...]] = ("many", "mostly")


def points_inside(points: tuple[tuple[float, float], ...], width: float, height: float, many: int) -> bool:
    """Pixel centres are integers, so a picture spans -0.5 to width - 0.5; NaN is nowhere inside."""
    here = (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5 for x, y in points)
    return len(points) == many and all(here)


class _Match(ColumnPairMapMetricProvider):
    """Whether two values are there and the same."""

    condition_metric_name = "column_pair_values.match"
    condition_domain_keys = COLUMN_PAIR_DOMAIN
    condition_value_keys = ()

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_A: pd.Series, column_B: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        return (column_A == column_B) & column_A.notna() & column_B.notna()


class ExpectHashesToMatchTheDisk(ColumnPairMapExpectation):
    """A is the hash that is listed, B that of the file as it lies there now; a file that is gone does not match."""

    ignore_row_if: Literal["neither"] = "neither"
    map_metric: ClassVar[str] = "column_pair_values.match"
    domain_keys: ClassVar[tuple[str, ...]] = COLUMN_PAIR_DOMAIN


class _NeutralEnrolled(MulticolumnMapMetricProvider):
    """Whether a row's subject has the neutral face that a protocol enrols."""

    condition_metric_name = "multicolumn_values.neutral_enrolled"
    condition_domain_keys = COLUMN_LIST_DOMAIN
    condition_value_keys = ("exactly_one",)

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, exactly_one: bool, **_: Any) -> pd.Series:  # noqa: N805
        subject, role, expression = (column_list.iloc[:, number] for number in range(3))
        return neutral_enrolled(subject, role, expression, exactly_one)


class ExpectOneNeutralForEachSubject(MulticolumnMapExpectation):
    """`column_list` names subject, role and expression. See `neutral_enrolled`."""

    exactly_one: bool
    ignore_row_if: Literal["never"] = "never"
    map_metric: ClassVar[str] = "multicolumn_values.neutral_enrolled"
    domain_keys: ClassVar[tuple[str, ...]] = COLUMN_LIST_DOMAIN
    success_keys: ClassVar[tuple[str, ...]] = ("exactly_one", "mostly")


def neutral_enrolled(subject: pd.Series, role: pd.Series, expression: pd.Series, exactly_one: bool) -> pd.Series:
    """True where nothing is wrong. A subject has a neutral face, one alone if `exactly_one`; who is in the gallery is
    there once and neutral.

    All rows of a subject without a neutral face are wrong, else the neutral ones that are too many.
    """
    whose = subject.fillna("").to_numpy()
    neutral, gallery = expression.eq("neutral"), role.eq("gallery")
    neutrals = neutral.groupby(whose).transform("sum")
    enrolled = gallery.groupby(whose).transform("sum")
    too_many = neutral & (neutrals > 1) if exactly_one else neutral & False
    return ~((neutrals == 0) | too_many | (gallery & ((enrolled > 1) | ~neutral)))

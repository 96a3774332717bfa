"""Expectations about what files hold that Great Expectations does not have. Import late: its import takes seconds."""

# pyright: reportPrivateImportUsage=false, reportUnusedClass=false, reportIncompatibleVariableOverride=false
# (the package registers metrics by subclassing and narrows its own fields in every expectation it ships)

from typing import Any, ClassVar, Literal

import numpy as np
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

from expectations.custom import COLUMN_LIST_DOMAIN, COLUMN_PAIR_DOMAIN


class _Figures(MulticolumnMapMetricProvider):
    """Whether all numbers of a row are there and finite."""

    condition_metric_name = "multicolumn_values.figures"
    condition_domain_keys = COLUMN_LIST_DOMAIN
    condition_value_keys = ()

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, **_: Any) -> pd.Series:  # noqa: N805
        numbers = column_list.apply(pd.to_numeric, errors="coerce").astype(float)
        return pd.Series(np.asarray(np.isfinite(numbers.to_numpy()).all(axis=1)), index=column_list.index)


class ExpectFactsToBeFinite(MulticolumnMapExpectation):
    """Every number of `column_list` was measured: where one is missing, the rules about it would say nothing."""

    ignore_row_if: Literal["never"] = "never"
    map_metric: ClassVar[str] = "multicolumn_values.figures"
    domain_keys: ClassVar[tuple[str, ...]] = COLUMN_LIST_DOMAIN


class _NotBlack(ColumnMapMetricProvider):
    """Whether a photo is brighter than black."""

    condition_metric_name = "column_values.not_black"
    condition_value_keys = ("darkest",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, darkest: float, **_: Any) -> pd.Series:  # noqa: N805
        return column >= darkest


class ExpectPhotosNotToBeBlack(ColumnMapExpectation):
    """The mean of all pixels is at least `darkest` (of 255)."""

    darkest: float
    map_metric: ClassVar[str] = "column_values.not_black"
    success_keys: ClassVar[tuple[str, ...]] = ("darkest", "mostly")


class _FaceInMillimetres(MulticolumnMapMetricProvider):
    """Whether a mesh is of a face's size once its reader has taken its unit for what it is."""

    condition_metric_name = "multicolumn_values.face_in_millimetres"
    condition_domain_keys = COLUMN_LIST_DOMAIN
    condition_value_keys = ("smallest_mm", "largest_mm", "flattest_mm")

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        column_list: pd.DataFrame,
        smallest_mm: float,
        largest_mm: float,
        flattest_mm: float,
        **_: Any,
    ) -> pd.Series:
        unit, read_as, *sides = (column_list.iloc[:, number] for number in range(5))
        extents = np.column_stack([side.to_numpy(dtype=float) for side in sides])
        largest, least = extents.max(axis=1), extents.min(axis=1)
        return unit.eq(read_as) & (largest >= smallest_mm) & (largest <= largest_mm) & (least >= flattest_mm)


class ExpectMeshesInMillimetresOfAFace(MulticolumnMapExpectation):
    """`column_list` names the unit a file seems to be in, the unit it is read as, and the three sides read so (mm)."""

    smallest_mm: float
    largest_mm: float
    flattest_mm: float
    ignore_row_if: Literal["never"] = "never"
    map_metric: ClassVar[str] = "multicolumn_values.face_in_millimetres"
    domain_keys: ClassVar[tuple[str, ...]] = COLUMN_LIST_DOMAIN
    success_keys: ClassVar[tuple[str, ...]] = ("smallest_mm", "largest_mm", "flattest_mm", "mostly")


class _WithinSigmas(MulticolumnMapMetricProvider):
    """Whether coefficients are finite and none is larger than some standard deviations."""

    condition_metric_name = "multicolumn_values.within_sigmas"
    condition_domain_keys = COLUMN_LIST_DOMAIN
    condition_value_keys = ("sigmas",)

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, sigmas: float, **_: Any) -> pd.Series:  # noqa: N805
        non_finite, *largest = (column_list.iloc[:, number] for number in range(column_list.shape[1]))
        return non_finite.eq(0) & pd.concat([part <= sigmas for part in largest], axis=1).all(axis=1)


class ExpectFiniteCoefficientsWithin(MulticolumnMapExpectation):
    """`column_list` names the count of numbers that are not finite, then the largest |sigma| of each part."""

    sigmas: float
    ignore_row_if: Literal["never"] = "never"
    map_metric: ClassVar[str] = "multicolumn_values.within_sigmas"
    domain_keys: ClassVar[tuple[str, ...]] = COLUMN_LIST_DOMAIN
    success_keys: ClassVar[tuple[str, ...]] = ("sigmas", "mostly")


class _UnitNormals(ColumnMapMetricProvider):
    """Whether the worst normal of an image is of length 1."""

    condition_metric_name = "column_values.unit_normals"
    condition_value_keys = ("tolerance",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, tolerance: float, **_: Any) -> pd.Series:  # noqa: N805
        return column <= tolerance


class ExpectUnitNormals(ColumnMapExpectation):
    """The largest deviation of |n| from 1 in an image is at most `tolerance`: what rounding to bytes leaves."""

    tolerance: float
    map_metric: ClassVar[str] = "column_values.unit_normals"
    success_keys: ClassVar[tuple[str, ...]] = ("tolerance", "mostly")


class _Spread(ColumnPairMapMetricProvider):
    """Whether the members of a group differ."""

    condition_metric_name = "column_pair_values.spread"
    condition_domain_keys = COLUMN_PAIR_DOMAIN
    condition_value_keys = ("least",)

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_A: pd.Series, column_B: pd.Series, least: float, **_: Any) -> pd.Series:  # noqa: N805
        return column_B.groupby(column_A.to_numpy()).transform("mean") >= least


class ExpectGroupsNotToBeAllAlike(ColumnPairMapExpectation):
    """A names a group (one network), B is the distance from the group's mean: on average at least `least`."""

    least: float
    ignore_row_if: Literal["neither"] = "neither"
    map_metric: ClassVar[str] = "column_pair_values.spread"
    domain_keys: ClassVar[tuple[str, ...]] = COLUMN_PAIR_DOMAIN
    success_keys: ClassVar[tuple[str, ...]] = ("least", "mostly")

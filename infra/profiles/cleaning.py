"""Cleaning a scan before recognition; see `models.geometry.cleaning.Cleaning`."""

from typing import Annotated

from pydantic import Field

from infra.config import Config
from infra.numbers import Count, Positive, Share


class CleaningConfig(Config):
    """Every number of the way from a raw scan to its range image; the defaults suit scans of any laboratory."""

    smallest_mm: Positive = 60.0
    largest_mm: Positive = 600.0
    fewest_vertices: Count = 400
    most_bulges: Count = 6
    convincing: Share = 0.45
    most_turned_deg: Annotated[float, Field(gt=0, le=180)] = 65.0
    any_orientation: bool = True
    margin_mm: Annotated[float, Field(ge=0)] = 10.0
    icp_points: Annotated[int, Field(ge=50)] = 800
    icp_steps: Count = 30
    icp_trim: Annotated[float, Field(gt=0, le=1)] = 0.8
    icp_slack_mm: Positive = 8.0
    worst_rmse_mm: Positive = 6.0
    tip_reach_mm: Positive = 15.0
    spike_mm: Positive = 6.0
    largest_hole_cells: Annotated[int, Field(ge=0)] = 400

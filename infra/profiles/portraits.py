"""Simulated portraits: who sits, and how large the pictures are."""

from typing import Annotated

from pydantic import Field

from infra.config import Config
from infra.numbers import Count


class StudioConfig(Config):
    """Portraits of so many women and men; the pictures' height (562 x 762 and 640 x 480 in the real data sets), and
    the weakest of the four intensities at which an expression is made on demand.
    """

    women: Count
    men: Count
    height_px: Annotated[int, Field(ge=96, le=1024)]
    weakest_intensity: Annotated[int, Field(ge=1, le=4)] = 2
    people_per_shard: Count = 5


class PortraitsConfig(Config):
    """The simulated KDEF and FEI; the defaults are the sizes of the real ones."""

    kdef: StudioConfig = StudioConfig(women=35, men=35, height_px=762)
    fei: StudioConfig = StudioConfig(women=100, men=100, height_px=480, people_per_shard=20)

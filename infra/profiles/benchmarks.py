"""Simulated benchmarks: who is scanned, how often, and with what."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from infra.config import Config
from infra.numbers import Count, Positive, Share

Amount = Annotated[float, Field(ge=0)]
Cells = Annotated[int, Field(ge=32, le=2048)]


class ScannerConfig(Config):
    """Faults of the simulated scanner; see `models.faceworld.scanner.ScannerModel`."""

    spacing_mm: Positive = 2.0
    pose_spread_deg: Amount = 5.0
    size_spread: Amount = 0.02
    relief_mm: Amount = 0.25
    noise_mm: Amount = 0.35
    ripple_mm: Amount = 0.25
    quantum_mm: Positive = 0.1
    spike_rate: Share = 0.002
    spike_mm: Amount = 9.0
    holes_per_scan: Amount = 2.0
    hole_radius_mm: Positive = 7.0
    lost_side_rate: Share = 0.15
    reach_mm: Positive = 120.0


class BenchmarkConfig(Config):
    """A simulated BU-3DFE: 100 people at most, six expressions at four intensities and a neutral scan each."""

    people: Annotated[int, Field(gt=1, le=100)]
    scanner: ScannerConfig = ScannerConfig()
    people_per_shard: Count = 5


class FrgcConfig(Config):
    """A simulated FRGC v2: scans of its test set and of its training set, on a grid of so many rows and columns."""

    people: Annotated[int, Field(gt=1, le=5000)] = 466
    scans: Count = 4007
    training_scans: Annotated[int, Field(ge=0)] = 943
    grid: tuple[Cells, Cells] = (480, 640)
    scanner: ScannerConfig = ScannerConfig(
        spacing_mm=0.5, noise_mm=0.4, ripple_mm=0.1, spike_rate=0.003, spike_mm=14.0, holes_per_scan=3.0
    )
    people_per_shard: Count = 10

    @model_validator(mode="after")
    def _one_scan_each(self) -> Self:
        if self.scans < self.people:
            raise ValueError(f"{self.scans} scans of {self.people} people: each has one at least")
        return self


class BosphorusConfig(Config):
    """A simulated Bosphorus: scans of the kinds that the protocol takes, and others."""

    people: Annotated[int, Field(gt=1, le=1000)] = 105
    scans: Count = 2902
    others: Annotated[int, Field(ge=0)] = 1764
    scanner: ScannerConfig = ScannerConfig(
        spacing_mm=0.7,
        relief_mm=0.3,
        noise_mm=0.12,
        ripple_mm=0.08,
        quantum_mm=0.02,
        spike_rate=0.0005,
        holes_per_scan=1.0,
        lost_side_rate=0.05,
    )
    people_per_shard: Count = 3

    @model_validator(mode="after")
    def _a_neutral_scan_each(self) -> Self:
        if self.scans < 10 * self.people:
            raise ValueError(f"{self.scans} scans of {self.people} people: one in ten is neutral, and each needs one")
        return self


class Bu4dfeConfig(Config):
    """A simulated BU-4DFE: six sequences of each, of which the protocol's frames are made."""

    women: Count = 58
    men: Count = 43
    smoothing_mm: Amount = 2.0
    scanner: ScannerConfig = ScannerConfig(
        spacing_mm=1.2, noise_mm=1.2, ripple_mm=0.2, spike_rate=0.0, holes_per_scan=0.5, relief_mm=0.1
    )
    people_per_shard: Count = 4

    @property
    def people(self) -> int:
        """Everybody."""
        return self.women + self.men


class BenchmarksConfig(Config):
    """The simulated benchmarks beside BU-3DFE; the defaults are the sizes of the real ones."""

    frgc: FrgcConfig = FrgcConfig()
    bosphorus: BosphorusConfig = BosphorusConfig()
    bu4dfe: Bu4dfeConfig = Bu4dfeConfig()

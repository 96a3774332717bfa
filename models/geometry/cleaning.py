"""What cleaning a scan may be told, and what it tells: every step has its numbers, and reports what it did."""

from typing import NamedTuple

from models.geometry.nose_tip import NoseSearch
from models.types import Pose


class Cleaning(NamedTuple):
    """Every number of the way, in its order. The report says what each step made of it.

    A scan is `smallest_mm` to `largest_mm` across and has `fewest_vertices`, also after the crop; the nose is searched
    as `NoseSearch` says; the crop keeps `margin_mm` more than the mask; ICP takes `icp_points` and `icp_steps` at most,
    the closest share `icp_trim` of pairs no farther than `icp_slack_mm` beside the template, and is refused above
    `worst_rmse_mm`; the tip is refined within `tip_reach_mm`; a spike is `spike_mm` from its surroundings; holes of up
    to `largest_hole_cells` are filled.
    """

    smallest_mm: float = 60.0
    largest_mm: float = 600.0
    fewest_vertices: int = 400
    most_bulges: int = 6
    convincing: float = 0.45
    most_turned_deg: float = 65.0
    any_orientation: bool = True
    margin_mm: float = 10.0
    icp_points: int = 800
    icp_steps: int = 30
    icp_trim: float = 0.8
    icp_slack_mm: float = 8.0
    worst_rmse_mm: float = 6.0
    tip_reach_mm: float = 15.0
    spike_mm: float = 6.0
    largest_hole_cells: int = 400

    def search(self) -> NoseSearch:
        """What the search for the nose is told."""
        return NoseSearch(self.most_bulges, self.convincing, self.most_turned_deg, self.any_orientation)


USUAL = Cleaning()


class CleaningReport(NamedTuple):
    """What every step did. `pose` is that of the face in the scan as given; `nose_tip` lies in that frame too, mm.

    `tip_found` tells whether the nose showed a summit; the template's place for it stands where it did not.
    """

    vertices: int
    pieces: int
    removed_vertices: int
    bulges_tried: int
    orientations_tried: int
    agreement: float
    cropped_vertices: int
    icp_rmse_mm: float
    icp_steps: int
    icp_converged: bool
    tip_found: bool
    tip_shift_mm: float
    nose_tip: tuple[float, float, float]
    pose: Pose
    spikes: int
    holes: int
    hole_cells: int
    holes_left_open: int
    masked_cells: int
    cells: int

    def told(self) -> dict[str, str]:
        """Each step in words, in order."""
        turned = " / ".join(f"{angle:.1f}" for angle in self.pose[:3])
        tip = "its summit" if self.tip_found else "where the template has it"
        return {
            "largest piece": f"{self.removed_vertices} of {self.vertices} vertices removed, {self.pieces} pieces",
            "nose": f"agreement {self.agreement:.2f} after {self.bulges_tried} bulges, {self.orientations_tried} sides",
            "crop": f"{self.cropped_vertices} vertices removed",
            "ICP": f"{self.icp_rmse_mm:.2f} mm from the template after {self.icp_steps} steps"
            + ("" if self.icp_converged else ", not converged"),
            "nose tip": f"{tip}, {self.tip_shift_mm:.1f} mm away; at "
            + ", ".join(f"{value:.1f}" for value in self.nose_tip)
            + " mm",
            "pose": f"turned {turned} degrees (pitch, yaw, roll)",
            "spikes": f"{self.spikes} removed",
            "holes": f"{self.holes} filled ({self.hole_cells} cells), {self.holes_left_open} left open",
            "mask": f"{self.masked_cells} cells removed, {self.cells} left",
        }

    def as_row(self) -> list[str]:
        """Cells of a table's row, by `REPORT_COLUMNS`; numbers to a thousandth."""
        values = [getattr(self, name) for name in _PLAIN]
        return [
            f"{value:.3f}" if isinstance(value, float) else str(int(value))
            for value in (*values, *self.pose[:3], *self.nose_tip)
        ]


_PLAIN = tuple(name for name in CleaningReport._fields if name not in ("pose", "nose_tip"))
REPORT_COLUMNS = (*_PLAIN, "pitch_deg", "yaw_deg", "roll_deg", "tip_x_mm", "tip_y_mm", "tip_z_mm")

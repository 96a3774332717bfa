"""A simulated structured-light scanner: what a laboratory's sensor makes of a head, before anybody cleans it."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from models.faceworld.photos import place
from models.faceworld.relief import skin_relief
from models.faceworld.studio import Studio
from models.morphable.population import Person
from models.rendering.mesh_normals import vertex_normals
from models.rendering.rasteriser import interpolate, rasterise
from models.types import Pose, RangeImage, Scan


class Turned(NamedTuple):
    """How far a head is turned on demand, in degrees."""

    pitch_deg: float
    yaw_deg: float


UPRIGHT = Turned(0.0, 0.0)


class ScannerModel(NamedTuple):
    """The faults of a scanner, in mm and degrees; rates are per scan or per cell as named."""

    spacing_mm: float = 2.0
    pose_spread_deg: float = 5.0
    size_spread: float = 0.02
    relief_mm: float = 0.25
    noise_mm: float = 0.35
    ripple_mm: float = 0.25
    quantum_mm: float = 0.1
    spike_rate: float = 0.002
    spike_mm: float = 9.0
    holes_per_scan: float = 2.0
    hole_radius_mm: float = 7.0
    lost_side_rate: float = 0.15
    reach_mm: float = 120.0


class Capture(NamedTuple):
    """The sensor's grid about the nose tip, where that tip stands in the scanner's own frame (mm), and the true places
    of iBUG's 68 points in that frame.
    """

    about_tip: RangeImage
    tip: Float32[ndarray, " 3"]
    landmarks: dict[str, tuple[float, float, float]]

    def image(self) -> RangeImage:
        """The grid in the scanner's frame."""
        points, valid = self.about_tip.points + self.tip, self.about_tip.valid
        return RangeImage(np.where(valid[..., None], points, np.float32(0)), valid)

    def scan(self) -> Scan:
        """The grid triangulated, with its landmarks."""
        mesh = _triangulate(self.about_tip)
        return Scan(mesh.vertices + self.tip, mesh.triangles, landmarks=self.landmarks)


def scan_head(
    studio: Studio, person: Person, expression: Float32[ndarray, " e"], scanner: ScannerModel, rng: np.random.Generator
) -> Scan:
    """The person's head as that scanner delivers it: a triangulated grid. See `capture`."""
    return capture(studio, person, expression, scanner, rng).scan()


def capture(
    studio: Studio,
    person: Person,
    expression: Float32[ndarray, " e"],
    scanner: ScannerModel,
    rng: np.random.Generator,
    turned: Turned = UPRIGHT,
) -> Capture:
    """The person's head as that scanner sees it: a grid with noise, spikes, holes and lost parts.

    The frame is the scanner's own: the face is turned a little (beside what `turned` asks for) and stands some
    centimetres from the origin.
    """
    vertices = studio.vertices(person, expression)
    normals = vertex_normals(vertices, studio.triangles)
    vertices = vertices + normals * skin_relief(studio.template, person.seed, scanner.relief_mm)[:, None]
    size = np.float32(np.random.default_rng([person.seed, 11]).normal(1.0, scanner.size_spread))
    pitch, yaw, roll = (float(angle) for angle in rng.normal(0, scanner.pose_spread_deg, size=3))
    pose = Pose(turned.pitch_deg + pitch, turned.yaw_deg + yaw, roll / 2, (0.0, 0.0, 0.0))
    posed = place(vertices * size, pose)
    cells = _sample(studio, posed, _hairiness(studio, person), scanner, rng)
    cells = _lose_parts(cells, scanner, rng)
    tip = (rng.normal(0, 15, size=3) + np.array([0.0, 0.0, 40.0])).astype(np.float32)
    seen = _disturb(cells, scanner, rng)
    marks = posed[studio.model.head.landmarks68] + tip
    named = {f"ibug{number:02d}": (float(x), float(y), float(z)) for number, (x, y, z) in enumerate(marks)}
    return Capture(RangeImage(seen.points, seen.valid), tip, named)


class _Cells(NamedTuple):
    """The sensor's grid: points, facing (nz), how hairy each cell is, and which cells delivered."""

    points: Float32[ndarray, "h w 3"]
    facing: Float32[ndarray, "h w"]
    hair: Float32[ndarray, "h w"]
    valid: Bool[ndarray, "h w"]


def _hairiness(studio: Studio, person: Person) -> Float32[ndarray, " n"]:
    """Where light is lost in hair: on the scalp and brows, and on the beard of the men who wear one."""
    beard = 0.0 if person.is_female else float(np.random.default_rng([person.seed, 13]).random() < 0.3)
    hairy = np.maximum(studio.masks["scalp"], np.maximum(studio.masks["brows"], 0.7 * beard * studio.masks["beard"]))
    return hairy.astype(np.float32)


def _sample(
    studio: Studio,
    posed: Float32[ndarray, "n 3"],
    hair: Float32[ndarray, " n"],
    scanner: ScannerModel,
    rng: np.random.Generator,
) -> _Cells:
    """Sample the visible surface at the sensor's spacing; its grid never starts at the same place."""
    reach, spacing = scanner.reach_mm, scanner.spacing_mm
    side = int(2 * reach / spacing) + 1
    start = rng.uniform(-0.5, 0.5, size=2) * spacing
    screen = np.stack(
        [(posed[:, 0] + reach + start[0]) / spacing, (reach + start[1] - posed[:, 1]) / spacing, posed[:, 2]], axis=1
    ).astype(np.float32)
    fragments = rasterise(screen, studio.triangles, side, side)
    normals = vertex_normals(posed, studio.triangles)
    attributes = np.concatenate([posed, normals[:, 2:], hair[:, None]], axis=1)
    seen = interpolate(fragments, studio.triangles, attributes)
    centre = posed[studio.model.head.nose_tip]
    near = np.linalg.norm(seen[..., :3] - centre, axis=-1) < reach
    valid = (fragments.triangle >= 0) & near
    return _Cells(seen[..., :3], seen[..., 3], seen[..., 4], valid)


def _lose_parts(cells: _Cells, scanner: ScannerModel, rng: np.random.Generator) -> _Cells:
    """Grazing and dark hairy cells return nothing, round holes open, sometimes one side of the jaw is missing."""
    valid = cells.valid & (cells.facing > rng.uniform(0.12, 0.25))
    patchy = cv2.GaussianBlur(rng.normal(size=valid.shape).astype(np.float32), (0, 0), 2.0)
    valid &= ~((cells.hair > 0.5) & (patchy > 0.02))
    for _ in range(rng.poisson(scanner.holes_per_scan)):
        row, column = (int(v) for v in rng.integers(0, valid.shape))
        if not cells.valid[row, column]:
            continue
        away = np.linalg.norm(cells.points - cells.points[row, column], axis=-1)
        valid &= away > scanner.hole_radius_mm * rng.uniform(0.4, 1.3)
    if rng.random() < scanner.lost_side_rate:
        side = rng.choice([-1.0, 1.0])
        edge = rng.uniform(38, 55)
        valid &= ~((side * cells.points[..., 0] > edge) & (cells.points[..., 1] < 10))
    return cells._replace(valid=valid)


def _disturb(cells: _Cells, scanner: ScannerModel, rng: np.random.Generator) -> _Cells:
    """Depth noise (worse where the surface turns away and in hair), fringe ripple, quantisation and spikes."""
    shape = cells.valid.shape
    worse = 1 + 1.5 * (1 - np.clip(cells.facing, 0, 1)) + 2 * cells.hair
    depth = cells.points[..., 2] + scanner.noise_mm * worse * rng.normal(size=shape)
    rows = np.arange(shape[0])[:, None] * scanner.spacing_mm
    columns = np.arange(shape[1])[None, :] * scanner.spacing_mm
    angle, period = rng.uniform(0, np.pi), rng.uniform(9, 25)
    wave = np.sin(2 * np.pi * (rows * np.sin(angle) + columns * np.cos(angle)) / period + rng.uniform(0, 6.3))
    depth = depth + scanner.ripple_mm * wave
    depth = np.round(depth / scanner.quantum_mm) * scanner.quantum_mm
    spikes = rng.random(shape) < scanner.spike_rate * (1 + 6 * cells.hair)
    depth = depth + spikes * rng.normal(0, scanner.spike_mm, size=shape)
    points = np.concatenate([cells.points[..., :2], depth[..., None]], axis=-1)
    return cells._replace(points=points.astype(np.float32))


def _triangulate(image: RangeImage, tear_mm: float = 9.0) -> Scan:
    """Join neighbouring cells into triangles unless the surface tears between them."""
    index = np.full(image.valid.shape, -1, dtype=np.int32)
    index[image.valid] = np.arange(image.valid.sum(), dtype=np.int32)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    triangles = triangles[(triangles >= 0).all(axis=1)]
    vertices = image.points[image.valid]
    depths = vertices[triangles, 2]
    triangles = triangles[np.ptp(depths, axis=1) < tear_mm]
    return Scan(np.ascontiguousarray(vertices), np.ascontiguousarray(triangles))

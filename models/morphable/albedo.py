"""Procedural skin, lips, eyes and hair: a linear-RGB albedo for every vertex of a head.

Works on the base head and on a subdivided one alike: it takes template positions and masks at the vertices. Scalp,
beard, iris and pupil masks are ramps that cross one half at the usual edge; the edge is moved and sharpened here.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Colour = NDArray[np.float32]

SKIN_TONES = np.log([[0.165, 0.088, 0.055], [0.56, 0.375, 0.265], [0.62, 0.405, 0.315]])  # african, asian, caucasian
HAIR_TONES = np.array(
    [[0.012, 0.010, 0.009], [0.035, 0.022, 0.015], [0.09, 0.052, 0.03], [0.27, 0.18, 0.09], [0.20, 0.075, 0.03]]
)
GREY_HAIR = np.array([0.42, 0.41, 0.40])
HAIR_CHANCES = np.array([[0.8, 0.2, 0, 0, 0], [0.75, 0.24, 0.01, 0, 0], [0.12, 0.33, 0.28, 0.2, 0.07]])
IRIS_TONES = np.array(
    [[0.030, 0.015, 0.008], [0.085, 0.040, 0.018], [0.13, 0.085, 0.035], [0.12, 0.20, 0.31], [0.13, 0.17, 0.10]]
)
IRIS_CHANCES = np.array([[0.75, 0.24, 0.01, 0, 0], [0.65, 0.34, 0.01, 0, 0], [0.12, 0.3, 0.15, 0.28, 0.15]])
SCLERA = np.array([0.66, 0.61, 0.58])
LIP_TINT = np.array([0.84, 0.56, 0.58])
MOUTH_INSIDE = np.array([0.055, 0.014, 0.012])
BAND = np.array([-3.0, 3.0], dtype=np.float32)  # how far a spot reaches, in radii
BROAD, FINE = 24, 24  # noise fields with wavelengths 35-110 mm and 5-16 mm


class Person(NamedTuple):
    """The attributes that colour a face: gender 0 male..1 female, age and weight 0..1, ancestry summing to 1."""

    gender: float
    age: float
    weight: float
    ancestry: NDArray[np.float64]


def sample_albedo(
    model_masks: Mapping[str, NDArray[np.generic]],
    vertices_xyz: NDArray[np.floating],
    attributes: NDArray[np.floating],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Albedo (n, 3), linear RGB in 0..1, of one random face with the given attributes.

    `model_masks` holds the face model's `mask_*` arrays, with or without that prefix, as 0..255 or as 0..1, at the same
    n vertices as `vertices_xyz`, their *template* positions in mm with the nose tip at the origin. `attributes` are
    the bank's columns: gender, age, weight, african, asian, caucasian.
    """
    masks = {name.removeprefix("mask_"): _unit(values) for name, values in model_masks.items()}
    positions = np.ascontiguousarray(vertices_xyz, dtype=np.float32)
    broad, fine, by_height = _surroundings(positions.tobytes(), len(positions))
    values = np.asarray(attributes, dtype=np.float64)
    person = Person(values[0], values[1], values[2], values[3:6] / max(values[3:6].sum(), 1e-6))
    wide = broad @ rng.normal(0, 1, (BROAD, 3)).astype(np.float32)
    narrow = fine @ rng.normal(0, 1, (FINE, 3)).astype(np.float32)
    tone = _skin_tone(person, rng)
    albedo = _skin(tone, masks, wide, narrow, person, rng)
    _spots(albedo, positions, by_height, rng)
    _lips(albedo, tone, masks["lips"], person, rng)
    hair = _hair_tone(person, rng)
    _face_hair(albedo, hair, masks, narrow, person, rng)
    _eyes(albedo, masks, person, rng)
    _scalp(albedo, hair, masks, wide, narrow, person, rng)
    _blend(albedo, MOUTH_INSIDE, _edge(masks["mouth"], 0.3, 3.0))
    return np.clip(albedo, 0.004, 0.95, out=albedo)


def _unit(values: NDArray[np.generic]) -> Field:
    """A mask as 0..1."""
    if values.dtype == np.uint8:
        return values.astype(np.float32) * np.float32(1 / 255)
    return values.astype(np.float32, copy=False)


@lru_cache(maxsize=4)
def _surroundings(positions: bytes, count: int) -> tuple[Field, Field, NDArray[np.intp]]:
    """What positions alone decide: smooth random functions and the order by height.

    The functions, broad and fine, have unit deviation once combined with unit normal weights.
    """
    points = np.frombuffer(positions, dtype=np.float32).reshape(count, 3)
    rng = np.random.default_rng(7)

    def waves(number: int, shortest: float, longest: float) -> Field:
        total = np.zeros((count, number), dtype=np.float32)
        for _ in range(4):
            direction = rng.normal(size=(3, number))
            direction *= 2 * np.pi / np.linalg.norm(direction, axis=0) / rng.uniform(shortest, longest, number)
            phase = rng.uniform(0, 2 * np.pi, number).astype(np.float32)
            total += np.cos(points @ direction.astype(np.float32) + phase)
        return total / np.float32(np.sqrt(2 * number))

    return waves(BROAD, 35.0, 110.0), waves(FINE, 5.0, 16.0), np.argsort(points[:, 1])


def _skin_tone(person: Person, rng: np.random.Generator) -> Colour:
    """Base skin colour: a geometric mix of the ancestries' tones, lighter or darker, redder or yellower."""
    share = person.ancestry**1.3
    mixed = share @ SKIN_TONES / share.sum()
    hue = np.array([0.0, 0.04, 0.08]) * np.clip(rng.normal(-0.2, 1.0), -2, 1.2)
    return np.exp(mixed + 0.05 * (person.gender - 0.5) + rng.normal(0, 0.16) + hue).astype(np.float32)


def _skin(
    tone: Colour,
    masks: Mapping[str, Field],
    wide: Field,
    narrow: Field,
    person: Person,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Skin everywhere: mottling, redness of cheeks and nose, shadows around the eyes, hollows."""
    rough = 0.015 + 0.03 * person.age * rng.random()
    light = 1 + 0.035 * wide[:, 0] + rough * narrow[:, 0] - 0.45 * masks["occlusion"]
    light -= rng.uniform(0.02, 0.18) * masks["eyelids"]
    red = rng.uniform(0, 0.16) * masks["cheeks"] + rng.uniform(0, 0.14) * masks["nose"] + 0.10 * masks["ears"]
    red += 0.025 * wide[:, 1] + 0.02 * narrow[:, 1]
    albedo = tone[None, :] * light[:, None]
    albedo[:, 0] *= 1 + 0.25 * red
    albedo[:, 1] *= 1 - 0.75 * red
    albedo[:, 2] *= 1 - 0.65 * red + 0.02 * wide[:, 2]
    if rng.random() < 0.25 * (0.3 + person.ancestry[2]):
        freckles = (rng.random(len(light)) < rng.uniform(0.04, 0.15)) * (masks["cheeks"] + masks["nose"])
        albedo *= 1 - rng.uniform(0.06, 0.16) * np.minimum(freckles, 1)[:, None].astype(np.float32)
    return albedo.astype(np.float32, copy=False)


def _spots(
    albedo: NDArray[np.float32], positions: Field, by_height: NDArray[np.intp], rng: np.random.Generator
) -> None:
    """Moles and blemishes: a few small dark or reddish spots anywhere."""
    heights = positions[by_height, 1]
    for _ in range(rng.poisson(3)):
        centre = positions[rng.integers(len(positions))]
        radius = rng.uniform(1.2, 2.6)
        near = by_height[slice(*np.searchsorted(heights, centre[1] + radius * BAND))]
        square = ((positions[near] - centre) ** 2).sum(axis=1)
        near, square = near[square < 9 * radius**2], square[square < 9 * radius**2]
        strength = rng.uniform(0.2, 0.7) * np.exp(-square / radius**2)
        tint = np.array([0.45, 0.30, 0.25]) if rng.random() < 0.6 else np.array([0.95, 0.55, 0.5])
        albedo[near] *= (1 - strength[:, None] * (1 - tint)).astype(np.float32)


def _blend(albedo: NDArray[np.float32], colour: NDArray[np.floating], amount: NDArray[np.floating]) -> None:
    """Mix a colour (3,) or (m, 3) in, where the amount is not zero."""
    where = np.flatnonzero(amount > 0.004)
    share = amount[where, None].astype(np.float32)
    paint = colour if colour.ndim == 1 else colour[where]
    albedo[where] += share * (paint.astype(np.float32) - albedo[where])


def _lips(albedo: NDArray[np.float32], tone: Colour, lips: Field, person: Person, rng: np.random.Generator) -> None:
    """Natural lips, or lipstick."""
    natural = tone * LIP_TINT * rng.uniform(0.9, 1.15)
    if person.gender > 0.5 and rng.random() < 0.35:
        painted = np.array([0.38, 0.07, 0.08]) * rng.uniform(0.5, 1.3, 3)
        natural = natural + rng.uniform(0.2, 0.8) * (painted - natural)
    _blend(albedo, natural, 0.9 * lips)


def _hair_tone(person: Person, rng: np.random.Generator) -> Colour:
    """Colour of hair, greying with age."""
    chances = person.ancestry**2 @ HAIR_CHANCES
    colour = HAIR_TONES[rng.choice(len(HAIR_TONES), p=chances / chances.sum())] * rng.uniform(0.7, 1.4)
    grey = np.clip((person.age - 0.78) / 0.14, 0, 1) * rng.random() ** 2
    return (colour + grey * (GREY_HAIR - colour)).astype(np.float32)


def _edge(ramp: NDArray[np.floating], threshold: float, sharpness: float) -> NDArray[np.floating]:
    """A ramp's region beyond a threshold, with a steeper edge."""
    return np.clip(
        (ramp - np.float32(threshold)) * np.float32(sharpness) + np.float32(0.5), np.float32(0), np.float32(1)
    )


def _face_hair(
    albedo: NDArray[np.float32],
    hair: Colour,
    masks: Mapping[str, Field],
    narrow: Field,
    person: Person,
    rng: np.random.Generator,
) -> None:
    """Brows, lashes and, on men, stubble or a beard."""
    brow_colour = np.minimum(hair * rng.uniform(0.6, 1.0), 0.16)
    brows = _brows(masks["brow_height"], masks["brow_along"], person, rng)
    _blend(albedo, brow_colour, brows * np.clip(1 + 0.10 * narrow[:, 1], 0.5, 1))
    liner = rng.uniform(0.35, 0.95) if person.gender > 0.5 else rng.uniform(0.25, 0.6)
    _blend(albedo, np.minimum(hair * 0.5, 0.03), masks["lashes"] * np.float32(liner))
    if person.gender < 0.5 and rng.random() < 0.6:
        full = rng.random() < 0.4
        cover = rng.uniform(0.6, 0.92) if full else rng.uniform(0.08, 0.38)
        region = _edge(masks["beard"], rng.uniform(0.35, 0.7), 3.0 if full else 1.8)
        _blend(albedo, hair * 1.1, region * np.clip(cover * (1 + 0.06 * narrow[:, 2]), 0, 0.95))


def _brows(height: Field, along: Field, person: Person, rng: np.random.Generator) -> Field:
    """Cover of the brows, from their own coordinates: thickness, lift, arch and length differ between people."""
    where = np.flatnonzero((height > 0.02) & (height < 0.98) & (along > 0) & (along < 1))
    u, v = along[where], 40.0 * (height[where] - 0.5)  # 0 inner to 1 outer; mm above the usual arc
    v -= rng.normal(0, 0.9) + rng.normal(0, 1.6) * (u - 0.5) + rng.normal(0, 1.5) * (0.25 - 4 * (u - 0.5) ** 2)
    half = np.interp(u, [0.0, 0.12, 0.45, 0.8, 0.98], [1.6, 3.0, 2.9, 2.0, 0.3])
    half = half * rng.uniform(0.65, 1.35) * (1.12 - 0.3 * person.gender)
    inner, outer = rng.uniform(0.04, 0.14), rng.uniform(0.84, 0.97)
    ends = np.clip((u - inner) * 12 + 0.5, 0, 1) * np.clip((outer - u) * 14 + 0.5, 0, 1)
    cover = np.zeros_like(height)
    cover[where] = rng.uniform(0.6, 0.93) * ends * np.clip(0.5 + (half - np.abs(v)) / rng.uniform(1.6, 3.0), 0, 1)
    return cover


def _eyes(albedo: NDArray[np.float32], masks: Mapping[str, Field], person: Person, rng: np.random.Generator) -> None:
    """White, iris with a darker rim, pupil."""
    chances = person.ancestry**2 @ IRIS_CHANCES
    iris = IRIS_TONES[rng.choice(len(IRIS_TONES), p=chances / chances.sum())] * rng.uniform(0.75, 1.3)
    where = np.flatnonzero((masks["sclera"] > 0.01) | (masks["iris"] > 0.01))
    white, ring, hole = (masks[name][where] for name in ("sclera", "iris", "pupil"))
    eye = albedo[where]
    _blend(eye, SCLERA * rng.uniform(0.85, 1.1), np.maximum(white, np.minimum(4 * ring, 1)))
    rim = 0.6 * np.clip(1.15 - 1.2 * np.abs(ring - 0.56), 0.45, 1)
    _blend(eye, iris * np.where(ring < 0.62, rim, 1.0)[:, None], _edge(ring, 0.5, 6.0))
    _blend(eye, np.full(3, 0.006), _edge(hole, rng.uniform(0.45, 0.6), 5.0))
    albedo[where] = eye


def _scalp(
    albedo: NDArray[np.float32],
    hair: Colour,
    masks: Mapping[str, Field],
    wide: Field,
    narrow: Field,
    person: Person,
    rng: np.random.Generator,
) -> None:
    """Hair of the head behind a hairline that differs from person to person; some men are bald or shaven."""
    man = person.gender < 0.5
    if man and rng.random() < 0.08 + 0.25 * max(person.age - 0.7, 0) / 0.2:
        cover, recede = rng.uniform(0.0, 0.25), 0.2
    else:
        cover, recede = rng.uniform(0.75, 0.98), 0.15 * rng.random() if man else 0.0
    line = rng.uniform(0.32, 0.62) + recede
    region = _edge(masks["scalp"] + 0.03 * wide[:, 1] + 0.015 * narrow[:, 0], line, rng.uniform(5.0, 10.0))
    strands = np.clip(1 + 0.22 * narrow[:, 1] + 0.12 * wide[:, 2], 0.4, 1.8)
    _blend(albedo, hair[None, :] * strands[:, None], region * np.float32(cover))

"""From a reconstructor's name to recognisers trained on its faces: what comparing and ablating have in common."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from flows.known import UNTRAINED
from flows.reconstructor import TRAINERS, Ground
from models.types import AXES
from tasks.align import Crops
from tasks.embed import Three
from tasks.faces import Faces, coefficients_of, pool_people
from tasks.fit_sphere20 import LossName
from tasks.gather import Photos
from tasks.normals import NormalShards, encode_photos
from tasks.recogniser import Network, finetune
from tasks.validate import require_valid_coefficients, require_valid_normals
from tasks.variants import Variant

LOSSES: dict[str, LossName] = {"ce": "cross_entropy", "lmcl": "lmcl"}


class Seen(NamedTuple):
    """The photos of a job, aligned, and the network that was pre-trained on them."""

    photos: Photos
    crops: Crops
    pretrained: Network


class Branches(NamedTuple):
    """A reconstructor, its faces as coefficients and as images, and a triple of branches for each loss."""

    variant: Variant
    faces: Faces
    normals: NormalShards
    adapted: dict[str, Three]


def train_branches(asked: str, ground: Ground, seen: Seen, losses: Mapping[str, LossName]) -> Branches:
    """Prepare the reconstructor (`NAME`, or `NAME=FOLDER` made elsewhere), encode its faces, fine-tune on them."""
    variant = prepared(asked, ground)
    faces, normals = encoded_faces(variant, ground, seen)
    return Branches(variant, faces, normals, fine_tuned(normals, seen.pretrained, ground, losses))


def prepared(asked: str, ground: Ground) -> Variant:
    """The reconstructor, trained where it is of the kind that is."""
    name, _, folder = asked.partition("=")
    if folder:
        return Variant(name, meshes=Path(folder).absolute())
    return Variant(name) if name in UNTRAINED else TRAINERS[name](ground)


def encoded_faces(variant: Variant, ground: Ground, seen: Seen) -> tuple[Faces, NormalShards]:
    """Faces of all photos, checked, and their normal component images."""
    profile = ground.profile
    faces = coefficients_of(seen.crops, seen.photos.root, profile.expnet.pixels, variant)
    require_valid_coefficients(faces, ground.job)
    people = pool_people(faces, profile.normals.identity_spread, profile.seed)
    normals = encode_photos(faces, people, profile.normals, profile.seed)
    require_valid_normals(normals, "photo-normals", ground.job)
    return faces, normals


def fine_tuned(
    normals: NormalShards, pretrained: Network, ground: Ground, losses: Mapping[str, LossName]
) -> dict[str, Three]:
    """Three axes for each loss, side by side as far as there are workers."""
    config, seed = ground.profile.recogniser, ground.profile.seed
    futures = {
        name: [finetune.submit(normals, pretrained, axis, loss, config, seed, ground.job) for axis in AXES]
        for name, loss in losses.items()
    }
    adapted = {name: [future.result() for future in three] for name, three in futures.items()}
    return {name: (x, y, z) for name, (x, y, z) in adapted.items()}

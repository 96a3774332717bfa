"""Photos to faces by any reconstructor: coefficients, who gave none and why, and what all of them say together."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from prefect import task

from infra.files import sha256_bytes
from infra.store import Artefact
from models.types import Failure
from tasks import policies
from tasks.align import Crops
from tasks.build_crops import read_crop_rows, read_failures
from tasks.build_faces import build_coefficients
from tasks.build_landmarks import build_landmarks
from tasks.build_normals import build_people
from tasks.stages import make, make_all
from tasks.variants import Variant
from tasks.wiring import open_workspace


class Faces(NamedTuple):
    """Shards of coefficients, one for each shard of crops; `pixels` is the side of the crops that hold the points."""

    variant: Variant
    crops: Crops
    root: Path
    pixels: int
    shards: list[Artefact]
    landmarks: list[Artefact]

    def rows(self) -> list[tuple[str, str]]:
        """(photo, subject) of every face, in the order of the shards."""
        pairs = zip(self.crops.shards, self.shards, strict=True)
        return [row for crops, shard in pairs for row in _kept(crops, shard)]

    def failures(self) -> list[Failure]:
        """Photos that were aligned and yet gave no face, with the reason."""
        return [failure for shard in self.shards for failure in read_failures(shard.path)]

    def where(self, number: int) -> dict[str, Path | int]:
        """What a worker needs to see the photos of shard `number`."""
        return {"root": self.root, "crops": self.crops.shards[number].path, "pixels": self.pixels}


@task(name="reconstruct photos", **policies.STAGE)
def coefficients_of(crops: Crops, root: Path, pixels: int, variant: Variant) -> Faces:
    """Coefficients of every photo below `root`; `pixels` is the side of the crops that `to_photo` starts from."""
    workspace = open_workspace()
    landmarks = find_landmarks(crops, root) if variant.needs_landmarks else []
    inputs = variant.inputs()
    settings = {"name": variant.name, "pixels": pixels}
    units, arguments = [], []
    for number, shard in enumerate(crops.shards):
        seen = landmarks[number : number + 1]
        units.append(([shard, *seen, *inputs], settings))
        where = {"root": root, "crops": shard.path, "network": variant.folder, "device": workspace.settings.device}
        arguments.append({**where, "landmarks": seen[0].path if seen else None})
    title = f"photos to coefficients ({variant.name})"
    code = ["tasks.build_faces"]
    shards = make_all(workspace, "coefficients", units, code, build_coefficients, title, arguments)
    return Faces(variant, crops, root, pixels, shards, landmarks)


@task(name="pool subjects", **policies.STAGE)
def pool_people(faces: Faces, spread: float, seed: int) -> Artefact:
    """What the estimates of all photos say together: a mean for each subject, and expressions to borrow."""
    workspace = open_workspace()
    pairs = list(zip(faces.crops.shards, faces.shards, strict=True))
    subjects = [[who for _, who in _kept(*pair)] for pair in pairs]
    names = [who for block in subjects for who in block]
    owner = np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)
    owners = np.split(owner, np.cumsum([len(block) for block in subjects])[:-1])

    def build(folder: Path, _: Path) -> None:
        build_people(folder, spread, seed, [shard.path for shard in faces.shards], owners)

    config = {"subjects": sha256_bytes("\n".join(names).encode()), "spread": spread, "seed": seed}
    return make(workspace, "people", faces.shards, config, ["tasks.build_normals"], build)


def find_landmarks(crops: Crops, root: Path) -> list[Artefact]:
    """468 landmarks of every aligned photo; needs the face networks."""
    workspace = open_workspace()
    units = [([shard], {}) for shard in crops.shards]
    arguments = [{"crops": shard.path, "root": root, "assets": workspace.settings.assets} for shard in crops.shards]
    return make_all(
        workspace, "landmarks", units, ["tasks.build_landmarks"], build_landmarks, "find landmarks", arguments
    )


def _kept(crops: Artefact, shard: Artefact) -> list[tuple[str, str]]:
    rows = read_crop_rows(crops.path)
    kept = np.load(shard.path / "rows.npy", allow_pickle=False)
    return [(rows[number].path, rows[number].subject) for number in kept]

"""Profiles: the same code with other numbers: `tiny` for tests, `demo` for minutes, `standard` hours, `paper` GPUs."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from infra.config import Config
from infra.errors import InfrastructureError
from infra.numbers import Count, Positive, Share
from infra.profiles.benchmarks import BenchmarkConfig, BenchmarksConfig
from infra.profiles.classifiers import ClassifiersConfig
from infra.profiles.cleaning import CleaningConfig
from infra.profiles.gates import GateConfig
from infra.profiles.portraits import PortraitsConfig
from infra.profiles.rnet import CNetConfig, RNetConfig
from infra.profiles.texface import TexFaceConfig


class PhotoWorldConfig(Config):
    """A simulated photo collection: how many people, photos of each, pixels a side, pose spread, occlusion."""

    people: Count
    photos_per_person: Count
    pixels: Annotated[int, Field(ge=64, le=1024)] = 128
    yaw_spread_deg: Positive = 20.0
    occlusion: Share = 0.15
    people_per_shard: Count = 25


class ExpNetConfig(Config):
    """The coefficient regressor of paper A, 2.2, and the simulated photos it learns from."""

    world: PhotoWorldConfig
    held_out_people: Count
    depth: Literal[18, 50, 101]
    width: Positive
    pixels: Annotated[int, Field(ge=48, le=448)]
    epochs: Count
    batch_size: Count
    learning_rate: Positive
    loss: Literal["l2", "asymmetric", "vertex_weighted_l2"] = "vertex_weighted_l2"


class NormalsConfig(Config):
    """Grid of the normal component images, and how training meshes are varied to look like cleaned scans.

    `identity_pooling` is how much of a face's identity is the mean over its subject's photos; `identity_spread` how far
    subjects are moved apart to spread as people do; `expression_transfer` the chance that a face wears the expression
    of another photo, and `expression_strength` its smallest and largest gain. The defaults are paper A as it stands.
    """

    pixels: Annotated[int, Field(ge=32, le=512)]
    mm_per_pixel: Positive
    crop_radius_mm: Positive = 90.0
    variants_per_photo: Count = 1
    identity_pooling: Share = 0.0
    identity_spread: Share = 0.0
    expression_transfer: Share = 0.0
    expression_strength: tuple[Positive, Positive] = (1.0, 1.0)
    rotation_spread_deg: Annotated[float, Field(ge=0)] = 2.5
    shift_spread_mm: Annotated[float, Field(ge=0)] = 1.5
    size_spread: Annotated[float, Field(ge=0)] = 0.025
    noise_mm: Annotated[float, Field(ge=0)] = 0.25
    cleaning: CleaningConfig = CleaningConfig()


class TrainingConfig(Config):
    """One training of a Sphere20."""

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4


class MarginConfig(Config):
    """Large-margin cosine loss (paper A eq. 8): scale s, margin m, share of training over which m grows from 0."""

    scale: Positive = 32.0
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.35
    warmup: Share = 0.3


class RecogniserConfig(Config):
    """Sphere20, its pre-training on photos and its fine-tuning on normal component images."""

    width: Positive
    embedding: Count = 512
    batch_norm: bool = True
    photo_pixels: Annotated[int, Field(ge=32, le=512)]
    pretraining: TrainingConfig
    finetuning: TrainingConfig
    lmcl: MarginConfig = MarginConfig()


class Profile(Config):
    """Everything that decides what a job computes."""

    name: str
    model_name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")] = "recognizer"
    seed: int = 20250814
    photos: PhotoWorldConfig
    expnet: ExpNetConfig
    rnet: RNetConfig
    cnet: CNetConfig
    texface: TexFaceConfig
    normals: NormalsConfig
    recogniser: RecogniserConfig
    benchmark: BenchmarkConfig
    benchmarks: BenchmarksConfig = BenchmarksConfig()
    portraits: PortraitsConfig = PortraitsConfig()
    classifiers: ClassifiersConfig
    gate: GateConfig


class ProfileError(InfrastructureError):
    """A profile that does not exist or does not parse; the message is one line."""


def profile_names() -> tuple[str, ...]:
    """The profiles that come with the product."""
    return tuple(sorted(p.name.removesuffix(".toml") for p in files(__name__).iterdir() if p.name.endswith(".toml")))


def load_profile(name_or_path: str) -> Profile:
    """A built-in profile by name, or the user's own from a `.toml` file; raises `ProfileError`."""
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
        if not path.is_file():
            raise ProfileError(
                f"{path}: no such profile file; give a .toml file or one of {', '.join(profile_names())}"
            )
        return _parse(path.read_bytes(), path.stem, str(path))
    if name_or_path in profile_names():
        return _parse(files(__name__).joinpath(f"{name_or_path}.toml").read_bytes(), name_or_path, name_or_path)
    raise ProfileError(f"no profile {name_or_path!r}; have {', '.join(profile_names())}, or give a .toml file")


def _parse(content: bytes, name: str, where: str) -> Profile:
    try:
        values: dict[str, Any] = tomllib.loads(content.decode("utf-8"))
        return Profile.model_validate({"name": name, **values})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"profile {where}: not valid TOML ({error}); mend the file") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ProfileError(f"profile {where}: {key}: {first['msg']} (got {first['input']!r}); mend it") from error

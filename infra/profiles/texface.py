"""TEx-Face: its style codes, the shapes of its three networks, and how each is trained."""

from typing import Annotated, Literal

from pydantic import Field

from infra.config import Config
from infra.numbers import Count, NotNegative, Positive


class StyleCodesConfig(Config):
    """Style codes: how many numbers say who (`identity`) and how (`expression`), and the faces they are learnt from.

    Their space is fitted on `fitted_on` faces of the face world; decoder and denoiser learn from `faces` of them, whose
    skin has a relief of `relief_mm`, and are measured on `held_out_faces` of other people.
    """

    identity: Count
    expression: Count
    fitted_on: Count
    faces: Count
    held_out_faces: Count
    relief_mm: NotNegative = 0.25
    faces_per_shard: Count = 1000


class StyleTrainingConfig(Config):
    """One training of one of the networks."""

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    weight_decay: NotNegative = 1e-4


class StyleDecoderConfig(Config):
    """Side of the finest map of detail, cells, and channels of the coarsest."""

    grid: Literal[8, 16, 32, 64, 128, 256]
    channels: Annotated[int, Field(ge=4)]
    training: StyleTrainingConfig


class StyleEncoderConfig(Config):
    """The residual network that inverts aligned crops of `pixels`; `hidden` numbers turn its pose into its guidance.

    `consistency` weighs the disagreement between the views of a face.
    """

    depth: Literal[18, 50, 101]
    width: Positive
    pixels: Annotated[int, Field(ge=48, le=448)]
    hidden: Count = 64
    consistency: NotNegative = 0.25
    training: StyleTrainingConfig


class StyleDenoiserConfig(Config):
    """The transformer over pieces of `piece` numbers, which divides both parts of a code."""

    piece: Count
    width: Count
    depth: Count
    heads: Count
    training: StyleTrainingConfig


class TexFaceConfig(Config):
    """The three networks of TEx-Face (Shen et al., AAAI 2024) over our own generator."""

    codes: StyleCodesConfig
    decoder: StyleDecoderConfig
    encoder: StyleEncoderConfig
    denoiser: StyleDenoiserConfig

"""R-Net and C-Net (paper B, 3.2): sizes, schedules, and how much each loss counts."""

from typing import Annotated, Literal

from pydantic import Field

from infra.config import Config
from infra.numbers import Count, NotNegative, Positive, Share


class LossWeightsConfig(Config):
    """Weights of R-Net's losses; the first five default to the published ones (Deng et al., CVPRW 2019).

    `labels` weighs the coefficient labels of hybrid training: 0 trains weakly, without any label. `perceptual` above 0
    needs a trained photo network.
    """

    photometric: NotNegative = 1.9
    landmarks: NotNegative = 1.6e-3
    perceptual: NotNegative = 0.2
    coefficients: NotNegative = 3e-4
    texture: NotNegative = 5.0
    labels: NotNegative = 0.0


class RNetConfig(Config):
    """One photo to coefficients, texture, light and pose; learns from the simulated photos that ExpNet learns from.

    `geometry_epochs` come before the others and know only landmarks, labels and the prior: where no face is drawn an
    epoch takes a third of the time. Those that follow go by `drawing_rate` times the learning rate: they refine a face
    that stands where it belongs. Faces are drawn with 3.7 mm between vertices, with `fine_mesh` half of that.
    `mirror` is the chance that a photo is exchanged for its mirror image.
    """

    depth: Literal[18, 50, 101]
    width: Positive
    pixels: Annotated[int, Field(ge=48, le=448)]
    geometry_epochs: Annotated[int, Field(ge=0)] = 0
    epochs: Count
    batch_size: Count
    learning_rate: Positive
    drawing_rate: Positive = 1.0
    fine_mesh: bool = False
    mirror: Share = 0.5
    weights: LossWeightsConfig = LossWeightsConfig()


class CNetConfig(Config):
    """Confidences in several photos of a person: the network, its training on sets of `views` photos (`sets` of them
    a step), and the people it learns from and is compared on, whom R-Net has not seen.
    """

    hidden: Count = 256
    views: Annotated[int, Field(ge=2)] = 3
    sets: Count
    epochs: Count
    learning_rate: Positive
    people: Count
    held_out_people: Count
    photos_per_person: Annotated[int, Field(ge=5)]

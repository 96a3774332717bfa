"""Classifiers of individuals, gender and expression (paper B, 3.3 and 4): networks, schedules, protocols, gates."""

from typing import Annotated

from pydantic import Field

from infra.config import Config
from infra.numbers import Count, NotNegative, Positive, Share
from infra.profiles.gates import ServingGateConfig
from infra.profiles.rnet import RNetConfig


class ClassifierTrainingConfig(Config):
    """One training: width of the network (1 is the papers'), its schedule, and label smoothing.

    `inputs_seen` counts each input as often as it is seen, so that a training on few inputs takes as many steps as one
    on many.
    """

    width: Positive
    inputs_seen: Count
    batch_size: Count
    learning_rate: Positive
    weight_decay: NotNegative = 0.02
    label_smoothing: Share = 0.0

    def epochs(self, inputs: int) -> int:
        """Passes over that many inputs."""
        return max(1, round(self.inputs_seen / inputs))


class VariationConfig(Config):
    """How coefficient vectors are varied in training: noise, as a multiple of how far the reconstructor's estimates of
    one face scatter, and the largest relative change of size.
    """

    noise: NotNegative = 1.0
    scaling: Share = 0.1


class IndividualConfig(Config):
    """Paper B, 4.1: people, photos of each on both sides; sets of `photos_pooled` of them are the inputs."""

    people: Annotated[int, Field(ge=2)] = 10
    training: Count = 20
    validation: Count = 15
    photos_pooled: Count = 3
    folds: Count


class GenderConfig(Config):
    """Paper B, 4.3: training inputs are sets of `photos_pooled` photos, at most so many a person; who validates is one
    input, pooled over all their photos.
    """

    photos_pooled: Count = 3
    sets_per_person: Count
    folds: Count


class ExpressionConfig(Config):
    """Paper B, 4.2: folds of the split by subject and of the split by image."""

    folds: Count
    image_split_folds: Count = 1


class ClassifierGateConfig(Config):
    """What a classifier must reach before it becomes champion: accuracies, and the gain over photos one by one."""

    individual: Share = 0.99
    gender: Share = 0.95
    expression: Share = 0.80
    gain_over_photos: float = 0.0
    parity_max_abs: Positive = 1e-4
    serving: ServingGateConfig = ServingGateConfig()


class ClassifiersConfig(Config):
    """Everything about the classifiers.

    `yaw_spread_deg` is that of the photos that their R-Net and C-Net learn from: KDEF and FEI show profiles. `rnet` is
    how that R-Net is trained, where it is not as the profile's.
    `photo_pixels` is the side of the crops that the image baselines see, `photo_folds` on how many folds they are
    trained. `name_suffix` keeps models of a profile that means nothing apart from others.
    """

    yaw_spread_deg: Positive = 55.0
    rnet: RNetConfig | None = None
    resnet34: ClassifierTrainingConfig
    resnet32: ClassifierTrainingConfig
    photos: ClassifierTrainingConfig
    photo_pixels: Annotated[int, Field(ge=32, le=448)]
    photo_folds: Count = 1
    variation: VariationConfig = VariationConfig()
    individual: IndividualConfig
    gender: GenderConfig
    expression: ExpressionConfig
    own_photo_folds: Annotated[int, Field(ge=2)] = 5
    gate: ClassifierGateConfig = ClassifierGateConfig()
    name_suffix: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = ""

"""Classifiers of coefficient vectors and of photos (paper B, 3.3): a residual trunk with a head a task."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.networks.residual import Trunk, build_trunk


class Heads(nn.Module):
    """One linear layer a task on shared features; `classes` names the tasks and says how many answers each has.

    Each task has a temperature, 1 until it is calibrated, by which logits are divided before they become probabilities.
    """

    def __init__(self, features: int, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.tasks = tuple(classes)
        self.layers = nn.ModuleList(nn.Linear(features, count) for count in classes.values())
        self.register_buffer("temperatures", torch.ones(len(classes)))

    def forward(self, features: Float[Tensor, "b f"]) -> tuple[Tensor, ...]:
        """Logits (b, answers) of each task, in order."""
        return tuple(layer(features) for layer in self.layers)


class CoefficientClassifier(nn.Module):
    """Raw coefficients (b, k) to logits: whitened (see `fit_whitener`), then a 1-D network.

    The numbers for whitening are stored with the weights and exported with the graph.
    """

    def __init__(
        self, trunk: Trunk, classes: Mapping[str, int], mean: Float[Tensor, " k"], transform: Float[Tensor, "k k"]
    ) -> None:
        super().__init__()
        self.register_buffer("mean", mean.clone())
        self.register_buffer("transform", transform.clone())
        self.trunk = trunk.network
        self.heads = Heads(trunk.features, classes)

    def forward(self, coefficients: Float[Tensor, "b k"]) -> tuple[Tensor, ...]:
        """Logits of each task."""
        whitened = (coefficients - self.get_buffer("mean")) @ self.get_buffer("transform")
        return self.heads(self.trunk(whitened[:, None]))


class PhotoClassifier(nn.Module):
    """The image baseline: photos as `preprocessing.scale_pixels` gives them to logits of each task."""

    def __init__(self, trunk: Trunk, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.trunk = trunk.network
        self.heads = Heads(trunk.features, classes)

    def forward(self, photos: Float[Tensor, "b c h w"]) -> tuple[Tensor, ...]:
        """Logits of each task."""
        return self.heads(self.trunk(photos))


class Probabilities(nn.Module):
    """What is exported and served: probabilities of a classifier's tasks, each at its temperature."""

    def __init__(self, classifier: CoefficientClassifier | PhotoClassifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, values: Tensor) -> tuple[Tensor, ...]:
        """(b, answers) for each task, rows of sum 1."""
        temperatures = self.classifier.heads.get_buffer("temperatures")
        logits = self.classifier(values)
        return tuple(torch.softmax(each / temperatures[place], dim=1) for place, each in enumerate(logits))


def build_coefficient_classifier(
    depth: int, width: float, classes: Mapping[str, int], mean: Float[Tensor, " k"], transform: Float[Tensor, "k k"]
) -> CoefficientClassifier:
    """A 1-D ResNet-34 or ResNet-32, drawn anew; see `build_trunk` for width and errors."""
    return CoefficientClassifier(build_trunk(depth, 1, 1, width), classes, mean, transform)


def build_photo_classifier(width: float, classes: Mapping[str, int]) -> PhotoClassifier:
    """A ResNet-34 on RGB photos, drawn anew."""
    return PhotoClassifier(build_trunk(34, 2, 3, width), classes)

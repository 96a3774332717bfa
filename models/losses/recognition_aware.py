"""A reconstruction loss that also asks whether a recogniser takes the reconstructed face for the true one."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class RecognitionAware(nn.Module):
    """`base` + `weight` x the mean over axes of 1 - cos(f(predicted face), f(true face)).

    f is a trained branch and does not learn: its embedding of the true face is what the reconstruction is to reach, as
    a perceptual loss reaches for a photo's (Johnson et al., ECCV 2016). Both faces take the same way through `imaging`
    (coefficient vectors to an image for each branch, with gradients), so the term is zero where the faces are one.
    Branches are held outside the module tree: nothing trains them or takes them out of evaluation mode.
    """

    def __init__(self, base: nn.Module, imaging: nn.Module, branches: Sequence[nn.Module], weight: float) -> None:
        super().__init__()
        self.base = base
        self.weight = weight
        self.imaging = imaging
        self._branches = tuple(branch.eval().requires_grad_(False) for branch in branches)

    def forward(self, predicted: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> Float[Tensor, ""]:
        """Mean over the batch, in the unit of `base`."""
        return self.base(predicted, target) + self.weight * self.distance(predicted, target)

    def distance(self, predicted: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> Float[Tensor, ""]:
        """How far apart the recogniser sees them: 0 for one face, 1 for strangers."""
        with torch.no_grad():
            wanted = self.imaging(target)
        found = self.imaging(predicted)
        far = [self._far(place, found, wanted) for place in range(len(self._branches))]
        return torch.stack(far).mean()

    def _far(self, place: int, found: Float[Tensor, "b a h w"], wanted: Float[Tensor, "b a h w"]) -> Float[Tensor, ""]:
        branch = self._branches[place].to(found.device)
        ours, theirs = branch(found[:, place : place + 1]), branch(wanted[:, place : place + 1])
        return 1 - functional.cosine_similarity(ours, theirs, dim=1).mean()

"""What an inversion encoder is to get right: codes, pose, and that the views of one face agree."""

from typing import NamedTuple

import torch
from jaxtyping import Float32, Int64
from numpy import ndarray
from torch import Tensor, nn

from models.losses.style_metric import StyleMetric, spread

POSE_SIGNS = (1.0, -1.0, -1.0, -1.0, 1.0, 1.0)
"""What mirroring does to pitch, yaw, roll, x, y, distance."""


class Views(NamedTuple):
    """The truth about photos: code, pose, whose face it is, and which moment: one `take` is one face seen again."""

    codes: Float32[Tensor, "b d"]
    poses: Float32[Tensor, "b 6"]
    subjects: Int64[Tensor, " b"]
    takes: Int64[Tensor, " b"]


class InversionLoss(nn.Module):
    """Codes through the decoder's metric, pose by `pose_weights` (mm^2 per squared unit), and `consistency` times the
    disagreement of views: mm^2 throughout.

    `signs` tells what mirroring does to the numbers of a code: the mirror image of a photo shows the mirrored face, so
    with its code mirrored back it is a second view of the face in the photo. The first `identity` numbers are to agree
    within a person, all within a take.
    """

    signs: Tensor
    pose_signs: Tensor
    pose_weights: Tensor

    def __init__(
        self,
        metric: StyleMetric,
        identity: int,
        signs: Float32[ndarray, " d"],
        pose_weights: tuple[float, ...],
        consistency: float = 0.25,
    ) -> None:
        super().__init__()
        self.metric = metric
        self.identity = identity
        self.consistency = consistency
        self.register_buffer("signs", torch.from_numpy(signs), persistent=False)
        self.register_buffer("pose_signs", torch.tensor(POSE_SIGNS), persistent=False)
        self.register_buffer("pose_weights", torch.tensor(pose_weights), persistent=False)

    def with_mirror_images(self, views: Views) -> Views:
        """The views, then those in their mirror images (on the device of the views)."""
        signs, pose_signs = self.signs.to(views.codes.device), self.pose_signs.to(views.codes.device)
        return Views(
            torch.cat([views.codes, views.codes * signs]),
            torch.cat([views.poses, views.poses * pose_signs]),
            views.subjects.repeat(2),
            views.takes.repeat(2),
        )

    def forward(
        self, codes: Float32[Tensor, "b d"], poses: Float32[Tensor, "b 6"], truth: Views
    ) -> Float32[Tensor, ""]:
        """Of what was found in photos and, in the second half, in their mirror images (see `with_mirror_images`)."""
        shape = self.metric(codes - truth.codes)
        pose = (self.pose_weights * (poses - truth.poses).square()).sum(1).mean()
        return shape + pose + self.consistency * self.disagreement(codes, truth)

    def disagreement(self, codes: Float32[Tensor, "b d"], truth: Views) -> Float32[Tensor, ""]:
        """Mean squared distance (mm^2) of views from the mean of their take, and of identities from their person's."""
        plain, turned = codes.chunk(2)
        upright = torch.cat([plain, turned * self.signs])
        who = spread(upright[:, : self.identity], truth.subjects)
        how = upright.new_zeros(len(upright), upright.shape[1] - self.identity)
        return self.metric(spread(upright, truth.takes)) + self.metric(torch.cat([who, how], dim=1))

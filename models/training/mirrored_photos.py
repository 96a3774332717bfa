"""Photos exchanged for their mirror images together with what is known of them: twice as many faces to learn from."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.morphable.mirror import mirror_matrix, mirror_partners
from models.morphable.model import MorphableModel
from models.networks.rnet_layout import ANGLES, TRANSLATION, RNetLayout
from models.training.landmark_shards import split_targets
from models.training.shards import Batch

MIRRORED_ANGLES = (1.0, -1.0, -1.0)
"""What mirroring does to pitch, yaw, roll."""
MIRRORED_TRANSLATION = (-1.0, 1.0, 1.0)


class MirroredPhotos(nn.Module):
    """Mirrors each photo of a batch of `LandmarkShards` with the chance `chance`, and its targets with it.

    A point changes its side and its name; the coefficients become those of the mirrored face, which the bases hold to
    some hundredths of a millimetre (`mirror_matrix`).
    """

    partners: Tensor
    turn_labels: Tensor

    def __init__(self, face: MorphableModel, layout: RNetLayout, pixels: int, chance: float) -> None:
        super().__init__()
        self.pixels = pixels
        self.chance = chance
        partners = mirror_partners(face.template)
        places = {int(vertex): place for place, vertex in enumerate(face.landmarks68)}
        other = [places[int(vertex)] for vertex in partners[face.landmarks68]]
        self.register_buffer("partners", torch.tensor(other), persistent=False)
        blocks = [mirror_matrix(basis, partners) for basis in (face.identity_basis, face.expression_basis)]
        blocks += [np.diag(MIRRORED_ANGLES), np.diag(MIRRORED_TRANSLATION)]
        turn = torch.block_diag(*(torch.from_numpy(block).float() for block in blocks))
        assert turn.shape == (layout.label_size, layout.label_size), (turn.shape, ANGLES, TRANSLATION)  # noqa: S101
        self.register_buffer("turn_labels", turn, persistent=False)

    def forward(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Images and targets of the same shapes."""
        images, targets = batch
        chosen = torch.rand(len(images), generator=generator, device=images.device) < self.chance
        return Batch(
            torch.where(chosen[:, None, None, None], images.flip(-1), images),
            torch.where(chosen[:, None], self.turned(targets), targets),
        )

    def turned(self, targets: Float[Tensor, "b t"]) -> Float[Tensor, "b t"]:
        """What is known of the mirror images."""
        landmarks, labels = split_targets(targets)
        other = landmarks[:, self.partners]
        across = torch.stack([self.pixels - 1 - other[..., 0], other[..., 1]], dim=-1).flatten(1)
        return torch.cat([across, labels @ self.turn_labels if labels.shape[1] else labels], dim=1)

    def extra_repr(self) -> str:
        """The chance: it makes one training run another than the next."""
        return f"chance={self.chance}"

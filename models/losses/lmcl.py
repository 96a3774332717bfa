"""The large margin cosine loss: equation 8 of paper A (CosFace, Wang et al., CVPR 2018)."""

from typing import Any

import torch
from jaxtyping import Float, Int64
from pytorch_metric_learning.losses import CosFaceLoss
from torch import Tensor, nn

from models.losses.catalogue import HeadOutput, heads


@heads.add("lmcl")
class LargeMarginCosineHead(nn.Module):
    """Cosines to one direction per class, times `scale`, the true class handicapped by `margin`.

    The margin grows linearly from 0 over the first `warmup` share of training: with the full margin at the start the
    gradient of a random network points nowhere.
    """

    def __init__(
        self, embedding: int, classes: int, scale: float = 32.0, margin: float = 0.35, warmup: float = 0.3
    ) -> None:
        super().__init__()
        self.margin = margin
        self.warmup = warmup
        self.scale = scale
        # The library's own hints say int where its documentation says float.
        settings: dict[str, Any] = {"margin": margin, "scale": scale}
        self.cosface: Any = CosFaceLoss(num_classes=classes, embedding_size=embedding, **settings)

    def forward(self, embeddings: Float[Tensor, "b d"], labels: Int64[Tensor, " b"], progress: float) -> HeadOutput:
        """Mean of equation 8 over the batch, with the margin of `progress`; float32 whatever the precision outside."""
        # The library casts its weights to the dtype it is given: half precision must not reach it.
        with torch.autocast(embeddings.device.type, enabled=False):
            embeddings = embeddings.float()
            self.cosface.margin = self.margin_at(progress)
            loss = self.cosface(embeddings, labels)
            with torch.no_grad():
                correct = (self.cosface.get_logits(embeddings).argmax(1) == labels).sum()
        return HeadOutput(loss, correct)

    def margin_at(self, progress: float) -> float:
        """The margin once `progress` (0-1) of training is done."""
        return self.margin * min(1.0, progress / self.warmup) if self.warmup > 0 else self.margin

    def reset_parameters(self) -> None:
        """Random class directions."""
        nn.init.normal_(self.cosface.W)

"""Softmax cross-entropy over a linear classifier: equations 1 and 2 of paper A."""

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from models.losses.catalogue import HeadOutput, heads


@heads.add("cross_entropy")
class CrossEntropyHead(nn.Module):
    """softmax(W h(x) + b) with W of shape (classes, embedding)."""

    def __init__(self, embedding: int, classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(embedding, classes)
        self.reset_parameters()

    def forward(self, embeddings: Float[Tensor, "b d"], labels: Int64[Tensor, " b"], progress: float) -> HeadOutput:  # noqa: ARG002
        """The mean over the batch where equation 2 sums, so that learning rates do not depend on the batch size."""
        logits = self.classifier(embeddings)
        return HeadOutput(functional.cross_entropy(logits, labels), (logits.argmax(1) == labels).sum())

    def reset_parameters(self) -> None:
        """Small normal weights, zero bias."""
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

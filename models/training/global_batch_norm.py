"""Batch normalisation by the mean and variance of the whole batch, of which each process holds a part.

PyTorch's `SyncBatchNorm` does so on GPUs alone; this one runs anywhere, a little slower.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage] - the base of all three

from models.training.ranks import SumOverAll


class GlobalBatchNorm(_BatchNorm):
    """As `nn.BatchNorm1d` and its kin (Ioffe and Szegedy, 2015), for (n, c) or (n, c, ...) spread over processes."""

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002, ARG002 - torch's name; any shape will do
        return

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Normalised values; in evaluation by the running mean and variance."""
        if not self.training:
            return super().forward(input)
        values = input.float()
        others = [axis for axis in range(values.ndim) if axis != 1]
        shape = [1, -1, *[1] * (values.ndim - 2)]
        rows = values.new_full((1,), values.numel() / values.shape[1])
        totals = cast(Tensor, SumOverAll.apply(torch.cat([values.sum(others), rows])))
        count = totals[-1].detach()
        centred = values - (totals[:-1] / count).view(shape)
        variance = cast(Tensor, SumOverAll.apply(centred.square().sum(others))) / count
        self._remember((totals[:-1] / count).detach(), variance.detach() * count / (count - 1).clamp_(min=1))
        normed = centred * torch.rsqrt(variance + self.eps).view(shape)
        return (normed * self.weight.view(shape) + self.bias.view(shape)).to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


def normalise_together(module: nn.Module, device: torch.device) -> None:
    """Replace every batch normalisation below `module` by one over all processes, with the same weights."""
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm):
            setattr(module, name, _over_all(child, device))
        else:
            normalise_together(child, device)


def _over_all(norm: _BatchNorm, device: torch.device) -> nn.Module:
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(norm)
    other = GlobalBatchNorm(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    other.load_state_dict(norm.state_dict())
    return other.to(next(iter(norm.state_dict().values())).device).train(norm.training)

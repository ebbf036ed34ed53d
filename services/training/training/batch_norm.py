"""Batch normalisation over the batch of all processes on a CPU, as `SyncBatchNorm` does on GPUs.

Legend: B batch, C channels, dots for the other axes.
"""

from functools import partial
from typing import Any

import torch
from lightning.pytorch.plugins.layer_sync import LayerSync
from torch import nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["SharedBatchNorm"]


class SharedBatchNorm(LayerSync):
    """Has batch normalisations take their statistics from the examples of all processes.

    So that several processes learn as one would with their batches together. PyTorch's own
    `SyncBatchNorm` refuses tensors that are not on a GPU.
    """

    def apply(self, model: nn.Module) -> nn.Module:
        """Share statistics, until `revert`."""
        for layer in _norms(model):
            layer.forward = partial(_forward, layer)
        return model

    def revert(self, model: nn.Module) -> nn.Module:
        """Have every process by itself again."""
        for layer in _norms(model):
            layer.__dict__.pop("forward", None)
        return model


def _norms(model: nn.Module) -> list[Any]:
    return [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]


def _forward(layer: Any, given: torch.Tensor) -> torch.Tensor:
    """Normalise (B, C, …): Ioffe and Szegedy 2015, "Batch Normalization", algorithm 1."""
    if not layer.training:
        return type(layer).forward(layer, given)
    axes = [0, *range(2, given.dim())]
    shape = [1, -1, *[1] * (given.dim() - 2)]
    count = given.new_tensor([given.numel() / given.shape[1]])
    *sums_C, total = all_reduce(torch.cat([given.sum(axes), count])).split(given.shape[1])
    mean_C = sums_C[0] / total
    apart = given - mean_C.view(shape)
    variance_C = all_reduce(apart.square().sum(axes)) / total
    _note_statistics(layer, mean_C.detach(), (variance_C * total / (total - 1)).detach())
    made = apart * (variance_C + layer.eps).rsqrt().view(shape)
    if not layer.affine:
        return made
    return made * layer.weight.view(shape) + layer.bias.view(shape)


@torch.no_grad()
def _note_statistics(layer: Any, mean_C: torch.Tensor, variance_C: torch.Tensor) -> None:
    """What the layer normalises by once it is trained."""
    if not layer.track_running_stats:
        return
    layer.num_batches_tracked += 1
    share = layer.momentum
    if share is None:
        share = 1 / int(layer.num_batches_tracked)
    layer.running_mean.lerp_(mean_C, share)
    layer.running_var.lerp_(variance_C, share)

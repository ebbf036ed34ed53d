"""What one look at a clip costs, in operations."""

import copy

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from s2s.tasks.classification.network.config import ClassifierConfig
from s2s.tasks.classification.network.inputs import ClipInputs

__all__ = ["count_gflops"]


def count_gflops(network: nn.Module, config: ClassifierConfig, mel_frames: int = 0) -> float:
    """GFLOPs of one view of one clip; a multiplication with its addition counts as one.

    So papers of video networks count, and torchvision's and timm's tables: PyTorch's own counter
    says twice as much. Nothing is computed: shapes alone go through a copy without values.

    Args:
        network: the classifier.
        config: its shape.
        mel_frames: mel frames of a clip, where it hears.
    """
    shape = (1, config.frames, 3, config.crop_px, config.crop_px)
    inputs = ClipInputs(
        torch.empty(shape, device="meta"),
        torch.ones(shape[:2], dtype=torch.bool, device="meta"),
        torch.empty((1, mel_frames, config.mel_bands), device="meta"),
        torch.ones(1, dtype=torch.bool, device="meta"),
    )
    hollow = copy.deepcopy(network).to("meta").eval()
    # In plain layers: of fused ones, for attention, the counter does not know all.
    with (
        torch.no_grad(),
        sdpa_kernel(SDPBackend.MATH),
        FlopCounterMode(display=False) as counter,
    ):
        hollow(inputs)
    return counter.get_total_flops() / 2 / 1e9

"""What one look at a clip costs, in operations."""

from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from s2s.tasks.classification.network.config import ClassifierConfig
from s2s.tasks.classification.network.shape import try_shapes

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
    with FlopCounterMode(display=False) as counter:
        try_shapes(network, config, mel_frames)
    return counter.get_total_flops() / 2 / 1e9

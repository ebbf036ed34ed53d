"""Blocks of dilated convolutions over time, with time before channels: quick on a CPU.

After ConvNeXt (Liu et al. 2022, section 2): a depthwise convolution, a norm, and two dense layers
around a GELU; the norm is over all of a window, as in Conv-TasNet (Luo and Mesgarani 2019,
equation 7).

Legend: B batch, T frames, C channels, S faces.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

__all__ = ["Block", "make_blocks"]

_KERNEL = 5
_DILATIONS = (1, 3, 9, 27)
"""Frames between the five that a block looks at; four blocks look 0.8 s to either side."""


class Block(nn.Module):
    """One block, with a way around it.

    Args:
        width: channels in and out.
        hidden: channels within.
        dilation: frames between those that it looks at.
    """

    def __init__(self, width: int, hidden: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.taps = nn.Parameter(torch.randn(_KERNEL, 1, width) / _KERNEL**0.5)
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x_BTC: torch.Tensor) -> torch.Tensor:
        """The same shape; a window is looked at as a whole."""
        length, reach = x_BTC.shape[1], self.dilation * (_KERNEL // 2)
        padded = F.pad(x_BTC, (0, 0, reach, reach))
        # Shifted sums: a depthwise convolution takes a fifth longer on a CPU.
        mixed = padded[:, :length] * self.taps[0]
        for n in range(1, _KERNEL):
            start = n * self.dilation
            mixed = torch.addcmul(mixed, padded[:, start : start + length], self.taps[n])
        normed = F.layer_norm(mixed, mixed.shape[1:]) * self.scale + self.shift
        return x_BTC + self.down(F.gelu(self.up(normed)))


def make_blocks(width: int, hidden: int, count: int) -> nn.Sequential:
    """Blocks one after another, each looking further than the one before, in rounds of four."""
    return nn.Sequential(
        *(Block(width, hidden, _DILATIONS[n % len(_DILATIONS)]) for n in range(count))
    )

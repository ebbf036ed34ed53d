"""What lips tell: a lip stream as features that fit the sound's frames.

Legend: B batch, S faces, T instants, D values of a lip stream, C channels.
"""

import torch
from torch import nn

from s2s.tasks.separation.network.blocks import make_blocks

__all__ = ["LipEncoder"]

_BLOCKS = 3
_LIMIT = 6.0
"""Values further from the mean, in standard deviations, are measured wrongly."""


class LipEncoder(nn.Module):
    """The visual front end: lip streams of a mesh, scaled, through a few convolutions.

    Args:
        lips: values of a stream at an instant.
        width: channels that come out.

    Attributes:
        mean_D: mean of the training clips' lip streams, taken off.
        std_D: their standard deviation, divided by.
    """

    mean_D: torch.Tensor
    std_D: torch.Tensor

    def __init__(self, lips: int, width: int) -> None:
        super().__init__()
        self.register_buffer("mean_D", torch.zeros(lips))
        self.register_buffer("std_D", torch.ones(lips))
        self.look = nn.Linear(lips + 1, width)
        self.blocks = make_blocks(width, 2 * width, _BLOCKS)

    def set_scale(self, mean_D: torch.Tensor, std_D: torch.Tensor) -> None:
        """Note how the training clips' lip streams are spread."""
        self.mean_D.copy_(mean_D)
        self.std_D.copy_(std_D)

    def forward(self, lips_BSTD: torch.Tensor, seen_BST: torch.Tensor) -> torch.Tensor:
        """Features of every face, (B, S, T, C); where a face was not seen, they say only that."""
        scaled = ((lips_BSTD.float() - self.mean_D) / self.std_D).clamp(-_LIMIT, _LIMIT)
        seen = seen_BST[..., None].to(scaled)
        looked = self.look(torch.cat([scaled * seen, seen], dim=-1))
        return self.blocks(looked.flatten(0, 1)).unflatten(0, seen_BST.shape[:2])

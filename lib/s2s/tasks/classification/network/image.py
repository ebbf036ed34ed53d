"""2D networks: features of one picture.

The small one is a residual network (He et al. 2016, "Deep Residual Learning") whose first layer
already strides by four, as patches of vision transformers do: most of the work of a large first
layer is spent on pixels that two cores cannot afford. `FilmNetwork` is one for films.

Legend: B batch, C channels, H height, W width, D features.
"""

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import cast

import timm
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

__all__ = ["FilmNetwork", "PictureNetwork", "TinyPictureNetwork", "make_picture_network"]

_WIDTHS = (16, 32, 64, 128)
"""Multiples of 16: convolutions on a CPU fill others up to that."""


class PictureNetwork(nn.Module, ABC):
    """Features of pictures.

    Attributes:
        dim: features.
    """

    dim: int

    @abstractmethod
    def forward(self, pictures_BCHW: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to (B, D)."""


class TinyPictureNetwork(PictureNetwork):
    """A small residual network, from scratch; where things are is kept on a grid of 2 x 2.

    Args:
        channels: of a picture.
        dim: features.
    """

    def __init__(self, channels: int = 3, dim: int = 128) -> None:
        super().__init__()
        self.dim = dim
        self.stem = _make_stem(channels)
        self.blocks = nn.Sequential(*(_Block(before, after) for before, after in pairwise(_WIDTHS)))
        self.last = nn.Linear(4 * _WIDTHS[-1], dim)

    def forward(self, pictures_BCHW: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to (B, D)."""
        maps = self.blocks(self.stem(pictures_BCHW))
        return F.relu(self.last(F.adaptive_avg_pool2d(maps, 2).flatten(1)))


class FilmNetwork(nn.Module):
    """A small residual network, from scratch, that sees each frame beside those before it.

    Every convolution is given a frame's maps and those of the frame before: a temporal shift in one
    direction (Lin et al. 2019, "TSM: Temporal Shift Module for Efficient Video Understanding",
    section 4.2), of all channels. So motion is seen where it is, with 2D convolutions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.dim = _WIDTHS[-1]
        self.stem = _make_stem(3)
        self.blocks = nn.ModuleList(_FilmBlock(*widths) for widths in pairwise(_WIDTHS))

    def forward(self, frames_BTCHW: torch.Tensor) -> torch.Tensor:
        """(B, T, C, H, W) to (B, T, D); what follows a frame changes nothing of its features."""
        batch, length = frames_BTCHW.shape[:2]
        maps = self.stem(frames_BTCHW.flatten(0, 1))
        for block in self.blocks:
            maps = block(maps, length)
        return maps.mean(dim=(2, 3)).unflatten(0, (batch, length))


class _FilmBlock(nn.Module):
    """Two convolutions beside a shortcut, the second over time alone; half as high and wide."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(2 * before, after, 3, stride=2, padding=1, bias=False)
        self.second = nn.Conv2d(2 * after, after, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(after) for _ in range(2))
        self.shortcut = nn.Conv2d(before, after, 1, stride=2, bias=False)

    def forward(self, maps: torch.Tensor, length: int) -> torch.Tensor:
        made = F.relu(self.norms[0](self.first(_beside_before(maps, length))))
        made = self.norms[1](self.second(_beside_before(made, length)))
        return F.relu(made + self.shortcut(maps))


def _beside_before(maps_BCHW: torch.Tensor, length: int) -> torch.Tensor:
    """Maps of films of `length` frames, with those of the frame before: (B, 2C, H, W).

    The first frame of a film has its own twice: nothing has moved yet.
    """
    # Channels last, as they lie in memory: otherwise every value is moved, and moved back.
    maps_BHWC = maps_BCHW.permute(0, 2, 3, 1)
    frames_BTHWC = maps_BHWC.unflatten(0, (-1, length))
    before_BTHWC = torch.cat([frames_BTHWC[:, :1], frames_BTHWC[:, :-1]], dim=1)
    return torch.cat([maps_BHWC, before_BTHWC.flatten(0, 1)], dim=-1).permute(0, 3, 1, 2)


def _make_stem(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, _WIDTHS[0], 5, stride=4, padding=2, bias=False),
        nn.BatchNorm2d(_WIDTHS[0]),
        nn.ReLU(),
    )


class _Block(nn.Module):
    """Two convolutions beside a shortcut; half as high and wide."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.shortcut = nn.Conv2d(before, after, 1, stride=2, bias=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return F.relu(self.layers(maps) + self.shortcut(maps))


class _TimmNetwork(PictureNetwork):
    """One of timm's, without its last layer."""

    def __init__(self, name: str, channels: int) -> None:
        super().__init__()
        self.network = timm.create_model(name, pretrained=False, num_classes=0, in_chans=channels)
        self.dim = cast("int", self.network.num_features)

    def forward(self, pictures_BCHW: torch.Tensor) -> torch.Tensor:
        return self.network(pictures_BCHW)


def make_picture_network(backbone: str, channels: int = 3) -> PictureNetwork:
    """A 2D network by its name.

    Args:
        backbone: `tiny` or `timm/NAME`.
        channels: of a picture.

    Raises:
        RuntimeError: if timm has none of that name.
    """
    if backbone == "tiny":
        return TinyPictureNetwork(channels)
    return _TimmNetwork(backbone.partition("/")[2], channels)

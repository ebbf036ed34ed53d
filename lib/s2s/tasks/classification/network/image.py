"""2D networks: features of one picture.

The small one is a residual network (He et al. 2016, "Deep Residual Learning") whose first layer
already strides by four, as patches of vision transformers do: most of the work of a large first
layer is spent on pixels that two cores cannot afford. `PlacingNetwork` says where things are as
well as what there is.

Legend: B batch, C channels, H height, W width, D features.
"""

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import cast

import timm
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

__all__ = ["PictureNetwork", "PlacingNetwork", "TinyPictureNetwork", "make_picture_network"]

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


class PlacingNetwork(PictureNetwork):
    """A small residual network, from scratch, that keeps where each of its maps is active.

    The mean place of what a map shows, across and down in -1..1 of the picture: the spatial softmax
    of Finn et al. 2016, "Deep Spatial Autoencoders for Visuomotor Learning", section IV; and how
    active each map is on the whole.

    Args:
        channels: of a picture.
        dim: features.
    """

    def __init__(self, channels: int, dim: int = 128) -> None:
        super().__init__()
        self.dim = dim
        self.stem = _make_stem(channels)
        widths = _WIDTHS[:3]
        self.blocks = nn.Sequential(*(_Block(before, after) for before, after in pairwise(widths)))
        self.point = nn.Conv2d(widths[-1], widths[-1], 1)
        self.last = nn.Linear(3 * widths[-1], dim)

    def forward(self, pictures_BCHW: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to (B, D)."""
        maps = self.blocks(self.stem(pictures_BCHW))
        places = _mean_places(self.point(maps))
        return self.last(torch.cat([places, maps.mean(dim=(2, 3))], dim=1))


def _make_stem(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, _WIDTHS[0], 5, stride=4, padding=2, bias=False),
        nn.BatchNorm2d(_WIDTHS[0]),
        nn.ReLU(),
    )


def _mean_places(maps_BCHW: torch.Tensor) -> torch.Tensor:
    """Where each map is active: down, then across: (B, 2C)."""
    shares_BCHW = maps_BCHW.flatten(2).softmax(dim=-1).reshape(maps_BCHW.shape)
    down_H, across_W = (
        torch.linspace(-1, 1, size, device=maps_BCHW.device) for size in maps_BCHW.shape[2:]
    )
    down_BC = (shares_BCHW.sum(dim=3) * down_H).sum(dim=-1)
    across_BC = (shares_BCHW.sum(dim=2) * across_W).sum(dim=-1)
    return torch.cat([down_BC, across_BC], dim=1)


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

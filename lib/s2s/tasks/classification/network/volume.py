"""Classifiers that see a clip as a volume: 3D convolutions, or attention over pieces of it.

Legend: B batch, T frames, C channels, H height, W width, D features, K classes, N tokens.
"""

from typing import cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torchvision.models import get_model
from torchvision.models.video import S3D

from s2s.tasks.classification.network.classifier import ClipClassifier
from s2s.tasks.classification.network.config import ClassifierConfig
from s2s.tasks.classification.network.inputs import ClipInputs

__all__ = ["AttentionBlock", "Cnn3d", "VideoNetwork", "VideoTransformer"]

_WIDTHS = (16, 32, 64, 128)
"""Multiples of 16: convolutions on a CPU fill others up to that."""
_WIDTH, _DEPTH, _HEADS = 96, 2, 4
_HEADS_OF_TORCHVISION = ("fc", "head", "classifier")


class Cnn3d(ClipClassifier):
    """A small residual network of 3D convolutions, from scratch.

    Tran et al. 2015, "Learning Spatiotemporal Features with 3D Convolutional Networks"; its first
    layer looks at single frames and strides by four.

    Args:
        classes: number of classes.
        dropout: share of features hidden in training.
    """

    def __init__(self, classes: int, dropout: float) -> None:
        super().__init__()
        self.dim = _WIDTHS[-1]
        self.stem = _make_stem()
        self.blocks = nn.Sequential(
            _Block3d(_WIDTHS[0], _WIDTHS[1], (1, 2, 2)),
            _Block3d(_WIDTHS[1], _WIDTHS[2], (2, 2, 2)),
            _Block3d(_WIDTHS[2], _WIDTHS[3], (2, 2, 2)),
        )
        self.last = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.dim, classes))

    def features(self, inputs: ClipInputs) -> torch.Tensor:
        """Features over time, every fourth frame: (B, T / 4, D)."""
        frames_BTCHW, _ = inputs.frames()
        volume = self.blocks(self.stem(frames_BTCHW.transpose(1, 2)))
        return volume.mean(dim=(3, 4)).transpose(1, 2)

    def scores(self, features_BTD: torch.Tensor, inputs: ClipInputs) -> torch.Tensor:  # noqa: ARG002
        """Scores of classes, (B, K)."""
        return self.last(features_BTD.mean(dim=1))


def _make_stem() -> nn.Sequential:
    """Looks at single frames, and strides by four."""
    return nn.Sequential(
        nn.Conv3d(3, _WIDTHS[0], (1, 5, 5), (1, 4, 4), (0, 2, 2), bias=False),
        nn.BatchNorm3d(_WIDTHS[0]),
        nn.ReLU(),
    )


class _Block3d(nn.Module):
    """Two convolutions beside a shortcut: over all three axes, then over the picture."""

    def __init__(self, before: int, after: int, stride: tuple[int, int, int]) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm3d(after),
            nn.ReLU(),
            nn.Conv3d(after, after, (3, 1, 1), 1, (1, 0, 0), bias=False),
            nn.BatchNorm3d(after),
        )
        self.shortcut = nn.Conv3d(before, after, 1, stride, bias=False)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        return F.relu(self.layers(volume) + self.shortcut(volume))


class VideoTransformer(ClipClassifier):
    """A small transformer over pieces of a clip, from scratch.

    Arnab et al. 2021, "ViViT", with joint attention over space and time (their model 1). Pieces,
    one for two frames and 32 x 32 pixels, come from convolutions in place of one linear layer and
    the first blocks (Xiao et al. 2021, "Early Convolutions Help Transformers See Better"): few
    clips teach which way things move so. Where a piece lies is learned of its instant and of its
    place apart.

    Args:
        classes: number of classes.
        frames: frames of a clip.
        crop_px: height and width of a frame.
        dropout: share of features hidden in training.
    """

    def __init__(self, classes: int, frames: int, crop_px: int, dropout: float) -> None:
        super().__init__()
        self.dim = _WIDTH
        self.stem = nn.Sequential(
            _make_stem(),
            _Block3d(_WIDTHS[0], _WIDTHS[1], (1, 2, 2)),
            _Block3d(_WIDTHS[1], _WIDTHS[2], (2, 2, 2)),
            _Block3d(_WIDTHS[2], _WIDTH, (1, 2, 2)),
        )
        with torch.no_grad():
            shape = self.stem(torch.zeros(1, 3, frames, crop_px, crop_px)).shape
        self.instants = nn.Parameter(0.02 * torch.randn(shape[2], 1, _WIDTH))
        self.places = nn.Parameter(0.02 * torch.randn(shape[3] * shape[4], _WIDTH))
        self.blocks = nn.ModuleList(AttentionBlock(_WIDTH, _HEADS, dropout) for _ in range(_DEPTH))
        self.norm = nn.LayerNorm(_WIDTH)
        self.last = nn.Sequential(nn.Dropout(dropout), nn.Linear(_WIDTH, classes))

    def features(self, inputs: ClipInputs) -> torch.Tensor:
        """Features over time, every second frame: (B, T / 2, D)."""
        frames_BTCHW, _ = inputs.frames()
        volume = self.stem(frames_BTCHW.transpose(1, 2))
        tokens_BTND = volume.flatten(3).permute(0, 2, 3, 1) + self.instants + self.places
        length = tokens_BTND.shape[1]
        tokens_BND = tokens_BTND.flatten(1, 2)
        for block in self.blocks:
            tokens_BND = block(tokens_BND)
        # The norm is of the mean: of pieces that show nothing it would make as much as of others.
        return self.norm(tokens_BND.unflatten(1, (length, -1)).mean(dim=2))

    def scores(self, features_BTD: torch.Tensor, inputs: ClipInputs) -> torch.Tensor:  # noqa: ARG002
        """Scores of classes, (B, K)."""
        return self.last(features_BTD.mean(dim=1))


class AttentionBlock(nn.Module):
    """Attention, then a network for each token, each beside a shortcut; norms come first.

    Args:
        width: of a token.
        heads: of attention.
        dropout: share of what is added that is hidden in training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.hide = nn.Dropout(dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        back = nn.Linear(4 * width, width)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), back)
        # At first a block changes nothing, so that the convolutions below it learn at once.
        for last in (self.join, back):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, tokens_BND: torch.Tensor) -> torch.Tensor:
        """(B, N, D) to the same."""
        parts = self.project(self.norms[0](tokens_BND)).chunk(3, dim=-1)
        split = [part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts]
        attended = F.scaled_dot_product_attention(*split)
        tokens_BND = tokens_BND + self.hide(self.join(attended.transpose(1, 2).flatten(2)))
        return tokens_BND + self.hide(self.think(self.norms[1](tokens_BND)))


class VideoNetwork(ClipClassifier):
    """One of torchvision's video networks, with a last layer for our classes.

    Args:
        name: such as `r3d_18`, `r2plus1d_18`, `s3d`, `mvit_v2_s`, `swin3d_t`.
        config: number of classes, and dropout.

    Raises:
        ValueError: if torchvision has none of that name.
    """

    def __init__(self, name: str, config: ClassifierConfig) -> None:
        super().__init__()
        self.network = get_model(name, weights=None)
        if isinstance(self.network, S3D):
            setattr(self.network, "avgpool", _FittingPool(self.network.avgpool))  # noqa: B010 - another class
        head = next(part for part in _HEADS_OF_TORCHVISION if hasattr(self.network, part))
        layers = getattr(self.network, head).modules()
        self.dim = next(
            layer.in_channels if isinstance(layer, nn.Conv3d) else layer.in_features
            for layer in layers
            if isinstance(layer, nn.Conv3d | nn.Linear)
        )
        # s3d's head is a convolution over a volume of one place; the others take vectors.
        setattr(self.network, head, nn.Identity())
        self.last = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(self.dim, config.classes))

    def features(self, inputs: ClipInputs) -> torch.Tensor:
        """Features of the whole clip: (B, 1, D)."""
        frames_BTCHW, _ = inputs.frames()
        return self.network(frames_BTCHW.transpose(1, 2)).flatten(1)[:, None]

    def scores(self, features_BTD: torch.Tensor, inputs: ClipInputs) -> torch.Tensor:  # noqa: ARG002
        """Scores of classes, (B, K)."""
        return self.last(features_BTD[:, 0])


class _FittingPool(nn.Module):
    """S3D's pool, over as much as there is where clips are smaller than those it was made for."""

    def __init__(self, pool: nn.AvgPool3d) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        sizes = zip(
            cast("tuple[int, int, int]", self.pool.kernel_size), volume.shape[2:], strict=True
        )
        kernel = [min(wanted, there) for wanted, there in sizes]
        return F.avg_pool3d(volume, kernel, stride=1)

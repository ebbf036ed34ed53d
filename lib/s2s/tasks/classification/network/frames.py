"""Classifiers over a 2D network that looks at one frame at a time.

Legend: B batch, T frames, C channels, H height, W width, D features, K classes.
"""

import torch
from torch import nn

from s2s.tasks.classification.network.classifier import ClipClassifier
from s2s.tasks.classification.network.image import (
    PictureNetwork,
    PlacingNetwork,
    make_picture_network,
)
from s2s.tasks.classification.network.inputs import ClipInputs

__all__ = ["CnnLstm", "FrameAverage"]

_HIDDEN = 128


class FrameAverage(ClipClassifier):
    """Says what each frame shows, and averages: blind to their order.

    Wang et al. 2016, "Temporal Segment Networks", with an average as consensus.

    Args:
        backbone: see `make_picture_network`.
        classes: number of classes.
        dropout: share of features hidden in training.
    """

    def __init__(self, backbone: str, classes: int, dropout: float) -> None:
        super().__init__()
        self.picture = make_picture_network(backbone)
        self.dim = self.picture.dim
        self.last = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.dim, classes))

    def features(self, inputs: ClipInputs) -> torch.Tensor:
        """Features over time: (B, T, D)."""
        frames_BTCHW, has_frame_BT = inputs.frames()
        return _look(self.picture, frames_BTCHW) * has_frame_BT[..., None]

    def scores(self, features_BTD: torch.Tensor, inputs: ClipInputs) -> torch.Tensor:
        """Scores of classes, (B, K): the mean over the frames there are."""
        return _mean_scores(self.last(features_BTD), inputs)


class CnnLstm(ClipClassifier):
    """Reads features of frames one after the other; what it says after each is averaged.

    Donahue et al. 2015, "Long-term Recurrent Convolutional Networks", section 4. The small network
    sees of each frame how it differs from the one before, too: the RGB difference of Wang et al.
    2016, "Temporal Segment Networks", section 3.2. Networks of timm see frames alone, as they were
    trained.

    Args:
        backbone: `tiny` or `timm/NAME`.
        classes: number of classes.
        dropout: share of features hidden in training.
    """

    def __init__(self, backbone: str, classes: int, dropout: float) -> None:
        super().__init__()
        self.sees_change = backbone == "tiny"
        self.picture: PictureNetwork = (
            PlacingNetwork(channels=6) if self.sees_change else make_picture_network(backbone)
        )
        self.dim = _HIDDEN
        self.hide = nn.Dropout(dropout)
        self.lstm = nn.LSTM(self.picture.dim, _HIDDEN, batch_first=True)
        self.last = nn.Sequential(nn.Dropout(dropout), nn.Linear(_HIDDEN, classes))

    def features(self, inputs: ClipInputs) -> torch.Tensor:
        """What is remembered after each frame: (B, T, D)."""
        frames_BTCHW, _ = inputs.frames()
        if self.sees_change:
            frames_BTCHW = _beside_change(frames_BTCHW)
        remembered_BTD, _ = self.lstm(self.hide(_look(self.picture, frames_BTCHW)))
        return remembered_BTD

    def scores(self, features_BTD: torch.Tensor, inputs: ClipInputs) -> torch.Tensor:
        """Scores of classes, (B, K): the mean over the frames there are."""
        return _mean_scores(self.last(features_BTD), inputs)


def _mean_scores(scores_BTK: torch.Tensor, inputs: ClipInputs) -> torch.Tensor:
    """Over the frames there are: (B, K)."""
    _, has_frame_BT = inputs.frames()
    scores_BTK = scores_BTK * has_frame_BT[..., None]
    return scores_BTK.sum(1) / has_frame_BT.sum(1, keepdim=True).clamp_min(1)


def _beside_change(frames_BTCHW: torch.Tensor) -> torch.Tensor:
    """Frames, and how each differs from the one before, as more channels; the first in nothing."""
    change_BTCHW = torch.zeros_like(frames_BTCHW)
    change_BTCHW[:, 1:] = frames_BTCHW.diff(dim=1)
    # As pictures: of those PyTorch keeps the order in memory, in which convolutions are fast.
    pictures = torch.cat([frames_BTCHW.flatten(0, 1), change_BTCHW.flatten(0, 1)], dim=1)
    return pictures.unflatten(0, frames_BTCHW.shape[:2])


def _look(picture: PictureNetwork, frames_BTCHW: torch.Tensor) -> torch.Tensor:
    """Features of every frame: (B, T, D)."""
    batch, length = frames_BTCHW.shape[:2]
    return picture(frames_BTCHW.flatten(0, 1)).unflatten(0, (batch, length))

"""Classifiers over a 2D network that looks at one frame at a time.

Legend: B batch, T frames, C channels, H height, W width, D features, K classes.
"""

import torch
from torch import nn

from s2s.tasks.classification.network.classifier import ClipClassifier
from s2s.tasks.classification.network.image import (
    FilmNetwork,
    PictureNetwork,
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
    sees each frame beside those before it, see `FilmNetwork`: what is left of a frame alone is too
    little to tell motion by, where so few clips teach it. Networks of timm look at one frame, as
    they were trained.

    Args:
        backbone: `tiny` or `timm/NAME`.
        classes: number of classes.
        dropout: share of features hidden in training.
    """

    def __init__(self, backbone: str, classes: int, dropout: float) -> None:
        super().__init__()
        self.picture = FilmNetwork() if backbone == "tiny" else make_picture_network(backbone)
        self.dim = _HIDDEN
        self.hide = nn.Dropout(dropout)
        self.enter = nn.Linear(self.picture.dim, _HIDDEN)
        self.lstm = nn.LSTM(_HIDDEN, _HIDDEN, batch_first=True)
        self.last = nn.Sequential(nn.Dropout(dropout), nn.Linear(_HIDDEN, classes))

    def features(self, inputs: ClipInputs) -> torch.Tensor:
        """What is remembered after each frame: (B, T, D)."""
        frames_BTCHW, _ = inputs.frames()
        if isinstance(self.picture, FilmNetwork):
            seen_BTD = self.picture(frames_BTCHW)
        else:
            seen_BTD = _look(self.picture, frames_BTCHW)
        seen_BTD = self.enter(self.hide(seen_BTD))
        remembered_BTD, _ = self.lstm(seen_BTD)
        return seen_BTD + remembered_BTD

    def scores(self, features_BTD: torch.Tensor, inputs: ClipInputs) -> torch.Tensor:
        """Scores of classes, (B, K): the mean over the frames there are."""
        return _mean_scores(self.last(features_BTD), inputs)


def _mean_scores(scores_BTK: torch.Tensor, inputs: ClipInputs) -> torch.Tensor:
    """Over the frames there are: (B, K)."""
    _, has_frame_BT = inputs.frames()
    scores_BTK = scores_BTK * has_frame_BT[..., None]
    return scores_BTK.sum(1) / has_frame_BT.sum(1, keepdim=True).clamp_min(1)


def _look(picture: PictureNetwork, frames_BTCHW: torch.Tensor) -> torch.Tensor:
    """Features of every frame: (B, T, D)."""
    batch, length = frames_BTCHW.shape[:2]
    return picture(frames_BTCHW.flatten(0, 1)).unflatten(0, (batch, length))

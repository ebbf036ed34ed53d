"""Classifiers that hear: a 2D network over log-mel, as though it were a picture.

Hershey et al. 2017, "CNN Architectures for Large-Scale Audio Classification".

Legend: B batch, M mel frames, K mel bands or classes, D features, T stretches of time.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from s2s.tasks.classification.network.classifier import ClipClassifier
from s2s.tasks.classification.network.image import make_picture_network
from s2s.tasks.classification.network.inputs import ClipInputs

__all__ = ["SoundClassifier"]

_STRETCHES = 8


class SoundClassifier(ClipClassifier):
    """Features of stretches of sound, and what their mean and their most say.

    Args:
        backbone: see `make_picture_network`.
        classes: number of classes.
        dropout: share of features hidden in training.
    """

    def __init__(self, backbone: str, classes: int, dropout: float) -> None:
        super().__init__()
        self.picture = make_picture_network(backbone, channels=1)
        self.dim = self.picture.dim
        self.last = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * self.dim, classes))

    def features(self, inputs: ClipInputs) -> torch.Tensor:
        """Features of overlapping stretches: (B, T, D); zero of clips without sound."""
        mel_BMK, has_sound_B = inputs.sound()
        length = max(1, 2 * mel_BMK.shape[1] // (_STRETCHES + 1))
        missing = max(0, length - mel_BMK.shape[1])
        stretches_BTKM = F.pad(mel_BMK, (0, 0, 0, missing)).unfold(1, length, max(1, length // 2))
        batch = len(mel_BMK)
        # The channel last, as colours lie in pictures: convolutions on a CPU take half the time.
        pictures = stretches_BTKM.flatten(0, 1)[..., None].permute(0, 3, 1, 2)
        features = self.picture(pictures)
        return features.unflatten(0, (batch, -1)) * has_sound_B[:, None, None]

    def scores(self, features_BTD: torch.Tensor, inputs: ClipInputs) -> torch.Tensor:  # noqa: ARG002
        """Scores of classes, (B, K)."""
        return self.last(torch.cat([features_BTD.mean(1), features_BTD.amax(1)], dim=-1))

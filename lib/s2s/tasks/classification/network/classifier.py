"""What every classifier of clips is.

Legend: B batch, T instants, D features, K classes.
"""

import torch
from torch import nn

from s2s.tasks.classification.network.inputs import ClipInputs

__all__ = ["ClipClassifier"]


class ClipClassifier(nn.Module):
    """Clips to features over time, and these to scores of classes.

    Attributes:
        dim: features at one instant.
    """

    dim: int

    def features(self, inputs: ClipInputs) -> torch.Tensor:
        """What is seen or heard over time: (B, T, D)."""
        raise NotImplementedError

    def scores(self, features_BTD: torch.Tensor, inputs: ClipInputs) -> torch.Tensor:
        """Scores of classes: (B, K)."""
        raise NotImplementedError

    def forward(self, inputs: ClipInputs) -> torch.Tensor:
        """Scores of classes: (B, K)."""
        return self.scores(self.features(inputs), inputs)

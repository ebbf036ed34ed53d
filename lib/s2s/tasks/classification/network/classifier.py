"""The base class of all classifiers of clips.

Legend: B batch, T instants, D features, K classes.
"""

from abc import ABC, abstractmethod

import torch
from torch import nn

from s2s.tasks.classification.network.inputs import ClipInputs

__all__ = ["ClipClassifier"]


class ClipClassifier(nn.Module, ABC):
    """Turns clips into features over time, and these into scores of classes.

    Attributes:
        dim: features at one instant.
    """

    dim: int

    @abstractmethod
    def features(self, inputs: ClipInputs) -> torch.Tensor:
        """Compute the features of the clips' pictures or sound over time: (B, T, D)."""

    @abstractmethod
    def scores(self, features_BTD: torch.Tensor, inputs: ClipInputs) -> torch.Tensor:
        """Compute the score of each class from the features: (B, K)."""

    def forward(self, inputs: ClipInputs) -> torch.Tensor:
        """Compute the score of each class: (B, K)."""
        return self.scores(self.features(inputs), inputs)

"""A classifier that sees and hears.

Legend: B batch, T instants, N tokens of both, D features, K classes.
"""

from typing import Any, Literal

import torch
from torch import nn

from s2s.tasks.classification.network.classifier import ClipClassifier
from s2s.tasks.classification.network.inputs import ClipInputs

__all__ = ["AudioVisual"]

_WIDTH, _HEADS, _DEPTH = 96, 4, 2

Scores = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""By both, by the picture and by the sound alone: (B, K) each."""


class AudioVisual(nn.Module):
    """Picture and sound together; either may be missing.

    Each modality has a classifier of its own, whose scores are trained as well: so that, where the
    other is missing, what is left is as good as it is alone. With `mid` fusion tokens of both
    attend to each other (Nagrani et al. 2021, "Attention Bottlenecks for Multimodal Fusion",
    without bottlenecks: there are few tokens), and their scores are used where both are there.

    Args:
        visual: what sees.
        sound: what hears.
        classes: number of classes.
        fusion: `late` averages scores, `mid` fuses before.
        dropout: share of features hidden in training.
    """

    def __init__(
        self,
        visual: ClipClassifier,
        sound: ClipClassifier,
        classes: int,
        fusion: Literal["late", "mid"],
        dropout: float,
    ) -> None:
        super().__init__()
        self.visual = visual
        self.sound = sound
        self.fusion = fusion
        if fusion == "mid":
            self.project = nn.ModuleList(nn.Linear(part.dim, _WIDTH) for part in (visual, sound))
            self.kinds = nn.Parameter(0.02 * torch.randn(2, _WIDTH))
            layer = nn.TransformerEncoderLayer(
                _WIDTH, _HEADS, 2 * _WIDTH, dropout, batch_first=True, norm_first=True
            )
            self.fuse = nn.TransformerEncoder(layer, _DEPTH, enable_nested_tensor=False)
            self.last = nn.Sequential(nn.Dropout(dropout), nn.Linear(_WIDTH, classes))

    def forward(self, inputs: ClipInputs) -> torch.Tensor:
        """Scores of classes, (B, K)."""
        return self.answer(self.every_score(inputs), *inputs.senses())

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile the parts: training asks for every score, which is no call of the whole."""
        fusing = [self.fuse, self.last] if self.fusion == "mid" else []
        for part in (*self.visual.children(), *self.sound.children(), *fusing):
            part.compile(*args, **kwargs)

    def every_score(self, inputs: ClipInputs) -> Scores:
        """Scores by both, by the picture and by the sound alone: (B, K) each."""
        seen_BTD, heard_BTD = self.visual.features(inputs), self.sound.features(inputs)
        seen_BK = self.visual.scores(seen_BTD, inputs)
        heard_BK = self.sound.scores(heard_BTD, inputs)
        both_BK = (seen_BK + heard_BK) / 2
        if self.fusion == "mid":
            both_BK = self._fused(seen_BTD, heard_BTD)
        return both_BK, seen_BK, heard_BK

    @staticmethod
    def answer(scores: Scores, sees_B: torch.Tensor, hears_B: torch.Tensor) -> torch.Tensor:
        """What counts of every score, (B, K): that by both, or by the one modality there is.

        Args:
            scores: by both, by the picture, by the sound.
            sees_B: clips with a picture.
            hears_B: clips with sound.
        """
        both_BK, seen_BK, heard_BK = scores
        one_BK = torch.where(sees_B[:, None], seen_BK, heard_BK)
        return torch.where((sees_B & hears_B)[:, None], both_BK, one_BK)

    def parameter_groups(self) -> list[list[nn.Parameter]]:
        """Parameters of what sees, of what hears, and of what fuses them, if anything does."""
        apart = [list(part.parameters()) for part in (self.visual, self.sound)]
        taken = {parameter for group in apart for parameter in group}
        rest = [parameter for parameter in self.parameters() if parameter not in taken]
        return [*apart, rest] if rest else apart

    def _fused(self, *features: torch.Tensor) -> torch.Tensor:
        parts = zip(features, self.project, self.kinds, strict=True)
        tokens_BND = torch.cat([project(part) + kind for part, project, kind in parts], dim=1)
        return self.last(self.fuse(tokens_BND).mean(dim=1))

"""The section `evaluation`: what `evaluate` and `compare` measure."""

from typing import Any

from pydantic import Field

from s2s.settings import EvaluationSettings

__all__ = ["ClassificationEvaluationSettings"]


class ClassificationEvaluationSettings(EvaluationSettings):
    """What is measured of a classifier.

    Attributes:
        views: places in time that a clip is looked at; probabilities are averaged.
        crops: places in the picture, for each of them: 1, or 3 from side to side.
        robustness: whether it is also measured at half the frame rate, with noise, and without
            sound or picture.
        modality_table: VGGSounder's table of which labels are seen and heard, a file beside the
            recipe; none when empty.
        approaches: what `compare` compares: settings of `training` by a name of their own.
        seeds: what `compare` trains each approach with.
    """

    views: int = Field(default=1, ge=1, le=30)
    crops: int = Field(default=1, ge=1, le=3)
    robustness: bool = True
    modality_table: str = ""
    approaches: dict[str, dict[str, Any]] = Field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)

"""The section `evaluation`: what `evaluate` measures."""

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
    """

    views: int = Field(default=1, ge=1, le=30)
    crops: int = Field(default=1, ge=1, le=3)
    robustness: bool = True
    modality_table: str = ""

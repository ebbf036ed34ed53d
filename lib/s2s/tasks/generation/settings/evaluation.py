"""The section `evaluation`: what `evaluate` measures."""

from pydantic import Field

from s2s.settings import EvaluationSettings

__all__ = ["GenerationEvaluationSettings"]


class GenerationEvaluationSettings(EvaluationSettings):
    """Settings of `evaluate` for generation models.

    Attributes:
        seeds_per_clip: sounds of the model for each clip, to see how much seeds differ.
    """

    seeds_per_clip: int = Field(default=2, ge=1)

"""The section `evaluation`: what `evaluate` measures."""

from typing import ClassVar

from pydantic import Field

from s2s.settings import EvaluationSettings

__all__ = ["GenerationEvaluationSettings"]


class GenerationEvaluationSettings(EvaluationSettings):
    """Settings of `evaluate` for generation models.

    Attributes:
        seeds_per_clip: sounds of the model for each clip, to see how much seeds differ.
    """

    FIGURES: ClassVar[tuple[str, ...]] = (
        *("onset_f1", "onset_precision", "onset_recall", "onset_f1_100ms", "undelayed_f1"),
        *("clips_with_onsets", "offset_s", "class_accuracy", "class_kl", "frechet", "stft"),
        *("mel_l1", "loudness_lu", "diversity"),
    )
    SYSTEMS: ClassVar[tuple[str, ...]] = (
        *("real", "real_mel", "model", "random_clip", "silence", "regression", "nearest"),
        *("random_alike", "delayed", "picture"),
    )

    seeds_per_clip: int = Field(default=2, ge=1)

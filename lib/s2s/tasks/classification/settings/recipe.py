"""A recipe of classification: its own sections in their places."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, get_args

from pydantic import model_validator

from s2s.settings import SHARED, Names, Recipe
from s2s.tasks.classification.settings.evaluation import ClassificationEvaluationSettings
from s2s.tasks.classification.settings.feature_extraction import ClassificationFeatureSettings
from s2s.tasks.classification.settings.naming import CLASSIFICATION
from s2s.tasks.classification.settings.training import ClassificationTrainingSettings

__all__ = ["ClassificationRecipe"]

_HEARING = ("audio", "audio_visual")


class ClassificationRecipe(Recipe, frozen=True, extra="forbid"):
    """What every stage does to learn the classes of clips."""

    naming: ClassVar[Mapping[str, Names]] = {**SHARED, **CLASSIFICATION}
    compared_alike: ClassVar[tuple[str, ...]] = (
        *Recipe.compared_alike,
        "training.frames",
        "training.sampling",
        "training.crop_px",
    )

    task: Literal["classification"] = "classification"
    feature_extraction: ClassificationFeatureSettings = ClassificationFeatureSettings()
    training: ClassificationTrainingSettings = ClassificationTrainingSettings()
    evaluation: ClassificationEvaluationSettings = ClassificationEvaluationSettings()

    @property
    def feature_rates(self) -> tuple[str, ...]:
        """Those of the mel, where there is one: frames have a rate of their own."""
        return super().feature_rates if self.feature_extraction.sound else ()

    @property
    def usual_approaches(self) -> Mapping[str, Mapping[str, Any]]:
        """Every approach that the stored features suffice for, small and from scratch.

        What sees in `audio_visual` is what the recipe says.
        """
        models = get_args(ClassificationTrainingSettings.model_fields["model"].annotation)
        scratch = {"backbone": "tiny", "weights": "random"}
        return {
            model: {"model": model, **scratch}
            for model in models
            if self.feature_extraction.sound or model not in _HEARING
        }

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        stored, training = self.feature_extraction, self.training
        if training.crop_px > min(stored.height_px, stored.width_px):
            raise ValueError(
                f"training.crop_px {training.crop_px} is more than the stored frames have "
                f"({stored.width_px} x {stored.height_px}): lower it, or raise "
                "feature_extraction.height_px and width_px"
            )
        there = round(self.spec.duration_s * stored.frame_rate_hz)
        if training.frames > there:
            raise ValueError(
                f"training.frames {training.frames}: a clip of {self.spec.duration_s:g} s has "
                f"{there} frames at feature_extraction.frame_rate_hz {stored.frame_rate_hz}: "
                "lower the one, or raise the other"
            )
        if training.model in _HEARING and not stored.sound:
            raise ValueError(
                f"training.model {training.model} hears: set feature_extraction.sound to true"
            )
        return self

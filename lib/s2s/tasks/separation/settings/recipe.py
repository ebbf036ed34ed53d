"""A recipe of separation: its own sections in their places."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from s2s.settings import SHARED, Names, Recipe
from s2s.tasks.separation.settings.evaluation import SeparationEvaluationSettings
from s2s.tasks.separation.settings.feature_extraction import SeparationFeatureSettings
from s2s.tasks.separation.settings.naming import SEPARATION
from s2s.tasks.separation.settings.training import SeparationTrainingSettings

__all__ = ["SeparationRecipe"]


class SeparationRecipe(Recipe, frozen=True, extra="forbid"):
    """What every stage does to learn to tell voices apart by their faces."""

    naming: ClassVar[Mapping[str, Names]] = {**SHARED, **SEPARATION}

    task: Literal["separation"] = "separation"
    feature_extraction: SeparationFeatureSettings = SeparationFeatureSettings()
    training: SeparationTrainingSettings = SeparationTrainingSettings()
    evaluation: SeparationEvaluationSettings = SeparationEvaluationSettings()

    @property
    def why_not_shown(self) -> str:
        """A model takes films with faces, whatever it was trained on."""
        if self.feature_extraction.faces != "simulated":
            return ""
        return "lips are simulated, so the clips show no faces; serve it, and send people who talk"

    @property
    def feature_rates(self) -> tuple[str, ...]:
        """Those of picture and sound: nothing is made of a mel."""
        return ("fps", "sample_rate_hz")

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        window_s, duration_s = self.training.window_s, self.spec.duration_s
        if window_s > duration_s:
            raise ValueError(
                f"training.window_s {window_s:g}: a clip has spec.duration_s {duration_s:g}: lower "
                "the one, or raise the other"
            )
        return self

"""A recipe of generation: its own sections in their places."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from s2s.settings import SHARED, Names, Recipe
from s2s.tasks.generation.settings.evaluation import GenerationEvaluationSettings
from s2s.tasks.generation.settings.feature_extraction import GenerationFeatureSettings
from s2s.tasks.generation.settings.naming import GENERATION
from s2s.tasks.generation.settings.training import GenerationTrainingSettings

__all__ = ["GenerationRecipe"]


class GenerationRecipe(Recipe, frozen=True):
    """A recipe that learns sound for silent videos and pictures."""

    naming: ClassVar[Mapping[str, Names]] = {**SHARED, **GENERATION}

    task: Literal["generation"] = "generation"
    feature_extraction: GenerationFeatureSettings = GenerationFeatureSettings()
    training: GenerationTrainingSettings = GenerationTrainingSettings()
    evaluation: GenerationEvaluationSettings = GenerationEvaluationSettings()

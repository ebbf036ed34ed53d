"""A recipe of generation: its own sections in their places."""

from typing import Literal

from s2s.settings import Recipe
from s2s.tasks.generation.settings.evaluation import GenerationEvaluationSettings
from s2s.tasks.generation.settings.feature_extraction import GenerationFeatureSettings
from s2s.tasks.generation.settings.training import GenerationTrainingSettings

__all__ = ["GenerationRecipe"]


class GenerationRecipe(Recipe):
    """What every stage does to learn sound for silent videos and pictures."""

    task: Literal["generation"] = "generation"
    feature_extraction: GenerationFeatureSettings = GenerationFeatureSettings()
    training: GenerationTrainingSettings = GenerationTrainingSettings()
    evaluation: GenerationEvaluationSettings = GenerationEvaluationSettings()

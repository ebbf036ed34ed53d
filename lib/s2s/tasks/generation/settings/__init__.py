"""The settings of generation recipes; imports no torch."""

from s2s.tasks.generation.settings.evaluation import GenerationEvaluationSettings
from s2s.tasks.generation.settings.feature_extraction import GenerationFeatureSettings
from s2s.tasks.generation.settings.recipe import GenerationRecipe
from s2s.tasks.generation.settings.training import GenerationTrainingSettings
from s2s.tasks.generation.settings.vocoder import VocoderSettings

__all__ = [
    "GenerationEvaluationSettings",
    "GenerationFeatureSettings",
    "GenerationRecipe",
    "GenerationTrainingSettings",
    "TaskRecipe",
    "VocoderSettings",
]

TaskRecipe = GenerationRecipe
"""What `s2s.tasks.recipes` looks for in every task's settings."""

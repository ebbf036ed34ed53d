"""What a recipe of separation can set; never reaches torch."""

from s2s.tasks.separation.settings.evaluation import (
    CONDITIONS,
    Condition,
    SeparationEvaluationSettings,
)
from s2s.tasks.separation.settings.feature_extraction import SeparationFeatureSettings
from s2s.tasks.separation.settings.recipe import SeparationRecipe
from s2s.tasks.separation.settings.training import MixingSettings, SeparationTrainingSettings

__all__ = [
    "CONDITIONS",
    "Condition",
    "MixingSettings",
    "SeparationEvaluationSettings",
    "SeparationFeatureSettings",
    "SeparationRecipe",
    "SeparationTrainingSettings",
    "TaskRecipe",
]

TaskRecipe = SeparationRecipe
"""What `s2s.tasks.recipes` looks for in every task's settings."""

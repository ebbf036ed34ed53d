"""What a recipe of classification can set; never reaches torch."""

from s2s.tasks.classification.settings.evaluation import ClassificationEvaluationSettings
from s2s.tasks.classification.settings.feature_extraction import ClassificationFeatureSettings
from s2s.tasks.classification.settings.recipe import ClassificationRecipe
from s2s.tasks.classification.settings.training import (
    AugmentationSettings,
    ClassificationTrainingSettings,
)

__all__ = [
    "AugmentationSettings",
    "ClassificationEvaluationSettings",
    "ClassificationFeatureSettings",
    "ClassificationRecipe",
    "ClassificationTrainingSettings",
    "TaskRecipe",
]

TaskRecipe = ClassificationRecipe
"""What `s2s.tasks.recipes` looks for in every task's settings."""

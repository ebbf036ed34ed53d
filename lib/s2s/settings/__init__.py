"""Recipes: one file that says what every stage does for one task, and the settings of one run.

Here is what all tasks share. A task's own sections are in `s2s.tasks.<task>.settings`, and
`s2s.tasks.recipes` reads a recipe's file.
"""

from s2s.settings.collection import DEFAULT_SOURCE_URL, CollectionSettings, ColumnNames
from s2s.settings.evaluation import ALL_CLIPS, ComparisonSettings, EvaluationSettings, Target
from s2s.settings.feature_extraction import FeatureSettings
from s2s.settings.naming import (
    CHECKS,
    CLIPS,
    EVALUATION,
    EXTRACTORS,
    FEATURES,
    MODEL,
    SHARED,
    Kind,
    Names,
    names,
    setting_paths,
)
from s2s.settings.preprocessing import PreprocessingSettings
from s2s.settings.recipe import STAGES, Recipe
from s2s.settings.run import Part, Settings
from s2s.settings.section import Section, WeightsSource, checked, fill_in_size, matching
from s2s.settings.serving import ServingSettings
from s2s.settings.training import TrackingSettings, TrainingSettings
from s2s.settings.validation import CheckSettings, ValidationSettings

__all__ = [
    "ALL_CLIPS",
    "CHECKS",
    "CLIPS",
    "DEFAULT_SOURCE_URL",
    "EVALUATION",
    "EXTRACTORS",
    "FEATURES",
    "MODEL",
    "SHARED",
    "STAGES",
    "CheckSettings",
    "CollectionSettings",
    "ColumnNames",
    "ComparisonSettings",
    "EvaluationSettings",
    "FeatureSettings",
    "Kind",
    "Names",
    "Part",
    "PreprocessingSettings",
    "Recipe",
    "Section",
    "ServingSettings",
    "Settings",
    "Target",
    "TrackingSettings",
    "TrainingSettings",
    "ValidationSettings",
    "WeightsSource",
    "checked",
    "fill_in_size",
    "matching",
    "names",
    "setting_paths",
]

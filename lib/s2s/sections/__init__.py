"""Sections of a recipe that are too long for `s2s.settings`, which gathers them all."""

from s2s.sections.base import Section
from s2s.sections.collection import DEFAULT_SOURCE_URL, CollectionSettings, ColumnNames
from s2s.sections.evaluation import EvaluationSettings, Target
from s2s.sections.features import FeatureSettings
from s2s.sections.preprocessing import PreprocessingSettings
from s2s.sections.tracking import TrackingSettings
from s2s.sections.training import TrainingSettings
from s2s.sections.validation import CheckSettings, ValidationSettings
from s2s.sections.vocoder import VocoderSettings

__all__ = [
    "DEFAULT_SOURCE_URL",
    "CheckSettings",
    "CollectionSettings",
    "ColumnNames",
    "EvaluationSettings",
    "FeatureSettings",
    "PreprocessingSettings",
    "Section",
    "Target",
    "TrackingSettings",
    "TrainingSettings",
    "ValidationSettings",
    "VocoderSettings",
]

"""Sections of a recipe that are too long for `s2s.settings`, which gathers them all."""

from s2s.sections.base import Section
from s2s.sections.collection import DEFAULT_SOURCE_URL, CollectionSettings, ColumnNames
from s2s.sections.preprocessing import PreprocessingSettings
from s2s.sections.validation import CheckSettings, ValidationSettings

__all__ = [
    "DEFAULT_SOURCE_URL",
    "CheckSettings",
    "CollectionSettings",
    "ColumnNames",
    "PreprocessingSettings",
    "Section",
    "ValidationSettings",
]

"""What a recipe of this task can set."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from s2s.settings import FEATURES, SHARED, FeatureSettings, Names, Recipe, names

__all__ = ["TaskRecipe", "ToneFeatureSettings"]


class ToneFeatureSettings(FeatureSettings):
    """What is stored of a clip.

    Attributes:
        side_px: pictures are looked at so small.
    """

    side_px: int = Field(default=32, ge=8)


class TaskRecipe(Recipe, frozen=True):
    """What every stage does to learn how loud a video is."""

    naming: ClassVar[Mapping[str, Names]] = {
        **SHARED,
        "feature_extraction.side_px": names(FEATURES),
    }

    task: Literal["tone"] = "tone"
    feature_extraction: ToneFeatureSettings = ToneFeatureSettings()

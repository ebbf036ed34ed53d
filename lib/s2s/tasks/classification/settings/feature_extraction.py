"""The section `feature_extraction`: frames are decoded once, and sound becomes log-mel."""

from typing import Literal

from pydantic import Field

from s2s.settings import FeatureSettings

__all__ = ["ClassificationFeatureSettings"]


class ClassificationFeatureSettings(FeatureSettings):
    """What is stored of a clip.

    Attributes:
        frames: how frames are stored: `raw`, quickest to read, or `jpeg`, about a tenth as large.
        frame_rate_hz: frames a second that are stored; training samples from these.
        height_px: their height.
        width_px: their width; pictures are scaled to cover both, and cropped around the middle.
        jpeg_quality: of `jpeg`, 1..100.
        sound: whether log-mel is stored as well.
    """

    frames: Literal["raw", "jpeg"] = "raw"
    frame_rate_hz: int = Field(default=8, ge=1, le=60)
    height_px: int = Field(default=112, ge=16, le=1024)
    width_px: int = Field(default=112, ge=16, le=1024)
    jpeg_quality: int = Field(default=90, ge=1, le=100)
    sound: bool = True

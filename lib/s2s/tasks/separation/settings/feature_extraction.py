"""The section `feature_extraction`: a clip's voice, and what its face shows of it."""

from typing import Literal

from pydantic import Field

from s2s.settings import FeatureSettings

__all__ = ["SeparationFeatureSettings"]


class SeparationFeatureSettings(FeatureSettings):
    """What is stored of a clip.

    Attributes:
        faces: where the lip stream is from: `mesh` finds and follows the face in the picture;
            `simulated` makes it from the voice, for voices without pictures.
        max_gap_s: a face that is not found for longer makes its clip fail; shorter gaps are
            bridged.
        pictures: whether pictures of mouth and face are stored as well, for networks that want
            them.
        speech_check: whether a clip without speech fails.
    """

    faces: Literal["mesh", "simulated"] = "mesh"
    max_gap_s: float = Field(default=0.5, ge=0, le=10)
    pictures: bool = False
    speech_check: bool = True

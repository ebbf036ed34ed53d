"""The offer of generation to clients; imports no torch."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from s2s.media import PICTURE_TYPES, VIDEO_TYPES
from s2s.tasks.values import Offer

__all__ = ["OFFER", "GenerationOptions"]


class GenerationOptions(BaseModel):
    """Optional fields of the form."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int = Field(
        default=0, ge=0, le=2**32 - 1, description="Another seed gives another sound."
    )
    steps: int | None = Field(
        default=None, ge=1, le=100, description="Steps of the sampler; the model's own by default."
    )
    guidance: float | None = Field(
        default=None,
        ge=1,
        le=20,
        description="How closely the sound follows the picture; the model's own by default.",
    )
    duration_s: float = Field(
        default=5.0,
        ge=0.5,
        le=60,
        title="Duration",
        description="Seconds of sound for a still picture.",
        json_schema_extra={"x-kind": "picture"},
    )
    format: Literal["mp4", "wav"] = Field(
        default="mp4", description="The video with its sound, or the sound alone."
    )


OFFER = Offer(
    route="generations",
    title="Sound for a silent video",
    lead="Give a silent video or a picture a sound that fits. The picture stays as it is.",
    file_label="Silent video or picture",
    action="Make the sound",
    options=GenerationOptions,
    types=(*VIDEO_TYPES, *PICTURE_TYPES),
    result="mp4",
    own={"steps": "sampling_steps", "guidance": "guidance"},
)

"""How separation is offered to clients; imports no torch."""

from pydantic import BaseModel, ConfigDict, Field

from s2s.media import VIDEO_TYPES
from s2s.tasks.values import Offer

__all__ = ["OFFER", "SeparationOptions"]


class SeparationOptions(BaseModel):
    """Optional fields of the form."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_faces: int = Field(
        default=4,
        ge=1,
        le=8,
        title="Faces",
        description="So many are followed at most; those that are seen first.",
    )


OFFER = Offer(
    route="separations",
    title="Who says what",
    lead="Give every face in a video its own voice, out of all that is heard at once.",
    file_label="Video of people who talk",
    action="Separate the voices",
    options=SeparationOptions,
    types=VIDEO_TYPES,
    result="mp4",
    needs_sound=True,
)

"""How classification is offered to clients; imports no torch."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from s2s.media import VIDEO_TYPES
from s2s.tasks.values import Offer

__all__ = ["OFFER", "ClassificationOptions"]


class ClassificationOptions(BaseModel):
    """Optional fields of the form."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    top_k: int = Field(
        default=5, ge=1, le=100, title="Classes", description="So many of the most probable."
    )
    start_s: float | None = Field(
        default=None, ge=0, title="From", description="Second at which the part begins."
    )
    end_s: float | None = Field(
        default=None, gt=0, title="To", description="Second at which the part ends."
    )
    duration_s: float | None = Field(
        default=None, gt=0, title="Length", description="Seconds of the part, instead of its end."
    )

    @model_validator(mode="after")
    def _check_part(self) -> Self:
        if self.end_s is not None and self.duration_s is not None:
            raise ValueError("end_s and duration_s: give one of the two")
        if self.start_s is not None and self.end_s is None and self.duration_s is None:
            raise ValueError("start_s needs an end_s or a duration_s")
        if self.end_s is not None and self.end_s <= (self.start_s or 0):
            raise ValueError("end_s must be after start_s")
        return self

    def span(self) -> tuple[float, float | None]:
        """Start and end in seconds; None for the end of the video."""
        start_s = self.start_s or 0.0
        if self.duration_s is not None:
            return start_s, start_s + self.duration_s
        return start_s, self.end_s


OFFER = Offer(
    route="classifications",
    title="What a video shows",
    lead="Say what happens in a video, and when.",
    file_label="Video",
    action="Classify it",
    options=ClassificationOptions,
    types=VIDEO_TYPES,
)

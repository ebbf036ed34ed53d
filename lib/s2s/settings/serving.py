"""A recipe's section `serving`: limits of the HTTP API."""

from pydantic import Field

from s2s.settings.section import Section

__all__ = ["ServingSettings"]


class ServingSettings(Section):
    """Limits of the HTTP API.

    Attributes:
        max_upload_bytes: a larger upload is answered with 413.
        max_duration_s: a longer video is answered with 422.
        note: what users of the model should know, in a sentence or two: what it was trained on,
            what it cannot do. The page says it.
        show_clips: held-out clips that the stage sends through the API.
    """

    max_upload_bytes: int = Field(default=200_000_000, ge=1)
    max_duration_s: float = Field(default=300.0, gt=0)
    note: str = Field(default="", max_length=500)
    show_clips: int = Field(default=6, ge=1)

"""Outcomes of clips, and their reasons: the words that every stage uses."""

from enum import StrEnum

__all__ = ["Reason", "Status"]


class Status(StrEnum):
    """The outcome of a clip in a stage."""

    OK = "ok"
    SKIPPED = "skipped"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a clip was skipped or failed. One word for one thing, in every stage."""

    ALREADY_DONE = "already_done"
    LEFT_OUT = "left_out"
    NO_SOURCE = "no_source"
    UPSTREAM_FAILED = "upstream_failed"
    BAD_ROW = "bad_row"
    ID_TAKEN = "id_taken"
    GONE = "gone"
    PRIVATE = "private"
    AGE = "age"
    GEO = "geo"
    MEMBERS = "members"
    DRM = "drm"
    LIVE = "live"
    LOGIN = "login"
    FORBIDDEN = "forbidden"
    BOT_CHECK = "bot_check"
    RATE_LIMITED = "rate_limited"
    NETWORK = "network"
    TIMEOUT = "timeout"
    CORRUPT = "corrupt"
    TOO_SHORT = "too_short"
    START_PAST_END = "start_past_end"
    NO_AUDIO = "no_audio"
    NO_VIDEO = "no_video"
    SILENT = "silent"
    CLIPPED = "clipped"
    CONSTANT = "constant"
    FROZEN = "frozen"
    BLACK = "black"
    LOW_FRAME_RATE = "low_frame_rate"
    LOW_RESOLUTION = "low_resolution"
    OUT_OF_STEP = "out_of_step"
    NO_FACE = "no_face"
    FACE_LOST = "face_lost"
    NO_SPEECH = "no_speech"
    UNKNOWN_LABEL = "unknown_label"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    REFUSED = "refused"
    CRASHED = "crashed"
    UNKNOWN = "unknown"

    @property
    def is_transient(self) -> bool:
        """Whether trying again can help."""
        return self in _TRANSIENT


_TRANSIENT = {
    Reason.FORBIDDEN,
    Reason.BOT_CHECK,
    Reason.RATE_LIMITED,
    Reason.NETWORK,
    Reason.TIMEOUT,
    Reason.CRASHED,
    Reason.UNKNOWN,
}

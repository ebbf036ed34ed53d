"""Clips and what became of them: the records that travel between stages."""

import re

from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

from s2s.reasons import Reason, Status

__all__ = [
    "ClipRecord",
    "Outcome",
    "build_clip_id",
    "parse_clip_id",
]

_CLIP_ID = re.compile(
    r"(?P<source>[A-Za-z0-9_-]+)_(?P<start>\d{8,})_(?P<end>\d{8,})(?:_x(?P<x>\d+)_y(?P<y>\d+))?"
)
_SOURCE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class ClipRecord:
    """A time span of a source: the unit of work everywhere.

    With slots, because there may be millions in memory.

    Attributes:
        source_id: name of the source, such as a YouTube id.
        start_s: where the clip starts in its source, in seconds.
        end_s: where it ends, in seconds.
        labels: what the catalog says of it.
        split: the catalog's own split, where it has one.
        face_xy: position of a face as fractions of the picture, where it is part of the identity.
        is_cc: whether its licence is Creative Commons, where the catalog says so.
        source_path: the file that it was taken from, below the folder that was taken over.
    """

    source_id: str = Field(pattern=f"^{_SOURCE_ID.pattern}$")
    start_s: float = Field(ge=0)
    end_s: float = Field(gt=0)
    labels: tuple[str, ...] = ()
    split: str | None = None
    face_xy: tuple[float, float] | None = None
    is_cc: bool | None = None
    source_path: str | None = None

    @property
    def clip_id(self) -> str:
        """The clip's name, unique in a catalog."""
        return build_clip_id(self.source_id, self.start_s, self.end_s, self.face_xy)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


class Outcome(BaseModel):
    """The outcome of one clip in one stage: failure is data, not a log line.

    Attributes:
        clip_id: the clip.
        status: ok, skipped or failed.
        reason: why, unless the status is ok.
        message: the same for a person: with which file or value, and what to do.
        key: object that the stage wrote for the clip.
        crc32c: its checksum, base64 as Google Cloud Storage writes it.
        size: bytes that the stage wrote for the clip, its other objects included.
        seconds: time that the work took.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip_id: str
    status: Status
    reason: Reason | None = None
    message: str = ""
    key: str = ""
    crc32c: str = ""
    size: int = 0
    seconds: float = 0.0


def build_clip_id(
    source_id: str, start_s: float, end_s: float, face_xy: tuple[float, float] | None = None
) -> str:
    """Name a clip: `<source_id>_<start ms>_<end ms>`, and `_x<‰>_y<‰>` where it has a face.

    Args:
        source_id: the source.
        start_s: start in seconds, 0 or more.
        end_s: end in seconds, after the start.
        face_xy: face position, fractions of width and height in 0..1.

    Raises:
        ValueError: if the source id holds anything but letters, digits, "-" and "_", or the
            times are not in order.
    """
    if not _SOURCE_ID.fullmatch(source_id):
        raise ValueError(f"source id {source_id!r}: only letters, digits, '-' and '_' are allowed")
    start_ms, end_ms = round(start_s * 1000), round(end_s * 1000)
    if not 0 <= start_ms < end_ms:
        raise ValueError(f"{source_id}: a clip from {start_s} s to {end_s} s has no length")
    clip_id = f"{source_id}_{start_ms:08d}_{end_ms:08d}"
    if face_xy is not None:
        x, y = (round(value * 1000) for value in face_xy)
        clip_id += f"_x{x:03d}_y{y:03d}"
    return clip_id


def parse_clip_id(clip_id: str) -> ClipRecord:
    """Read a clip's name back; labels and split are not part of it.

    Raises:
        ValueError: if it is not the name of a clip.
    """
    match = _CLIP_ID.fullmatch(clip_id)
    if match is None:
        raise ValueError(f"{clip_id!r} is not a clip id (<source>_<start ms>_<end ms>)")
    face = (int(match["x"]) / 1000, int(match["y"]) / 1000) if match["x"] else None
    return ClipRecord(
        source_id=match["source"],
        start_s=int(match["start"]) / 1000,
        end_s=int(match["end"]) / 1000,
        face_xy=face,
    )

"""AVSpeech's catalog: `id,start,end,face x,face y`, without a header, labels or a split.

Times are fractional. Several people may speak in one segment: the position of the face is part of
what a clip is.
"""

from typing import ClassVar

from s2s.catalog.rows import LineFormat, fixed, make_clip, seconds, split_line
from s2s.records import ClipRecord

__all__ = ["AVSpeech", "face_position"]


class AVSpeech(LineFormat):
    """The format of AVSpeech."""

    name: ClassVar[str] = "avspeech"

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        fields = split_line(line)
        if len(fields) != 5:
            raise ValueError(f"has {len(fields)} columns, not id,start,end,face x,face y")
        source_id, start, end, x, y = fields
        return make_clip(
            source_id, seconds(start, "start"), seconds(end, "end"), face_xy=face_position(x, y)
        )

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        if clip.face_xy is None:
            raise ValueError("it has no position of a face")
        numbers = (clip.start_s, clip.end_s, *clip.face_xy)
        return ",".join([clip.source_id, *(fixed(value, 6) for value in numbers)])


def face_position(x: object, y: object) -> tuple[float, float]:
    """Read a face's position.

    Raises:
        ValueError: if it is not inside the picture.
    """
    try:
        position = (float(str(x)), float(str(y)))
    except ValueError:
        raise ValueError(f"face position {x!r}, {y!r} is not two numbers") from None
    if not all(0 <= value <= 1 for value in position):
        raise ValueError(f"face position {x!r}, {y!r} is not two fractions of the picture")
    return position

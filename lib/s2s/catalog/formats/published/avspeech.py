"""AVSpeech's catalog: `id,start,end,face x,face y`, without a header, labels or a split.

Times are fractional. Several people may speak in one segment: the position of the face is part of
what a clip is.
"""

from dataclasses import dataclass
from typing import ClassVar

from s2s.catalog.formats.rows import LineFormat, make_clip
from s2s.catalog.formats.text import split_line
from s2s.catalog.formats.values import face_position, fixed, seconds
from s2s.records import ClipRecord

__all__ = ["AVSpeech"]


@dataclass(frozen=True)
class AVSpeech(LineFormat):
    """The format of AVSpeech.

    Attributes:
        delimiter: between cells.
    """

    name: ClassVar[str] = "avspeech"
    delimiter: str = ","

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        fields = split_line(line, self.delimiter)
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
        return self.delimiter.join([clip.source_id, *(fixed(value, 6) for value in numbers)])

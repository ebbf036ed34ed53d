"""VGGSound's catalog: `id,start in seconds,label[,split]`, without a header and without an end."""

import csv
import io
from dataclasses import dataclass
from typing import ClassVar

from s2s.catalog.rows import LineFormat, make_clip, number, seconds, split_line
from s2s.records import ClipRecord

__all__ = ["VGGSound"]


@dataclass(frozen=True)
class VGGSound(LineFormat):
    """The format of VGGSound.

    Attributes:
        duration_s: length of every clip, which the format does not give.
    """

    name: ClassVar[str] = "vggsound"
    duration_s: float

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        fields = split_line(line)
        if len(fields) not in {3, 4}:
            raise ValueError(
                f"has {len(fields)} columns, not id,start,label[,split]; "
                "a label with a comma needs quotes"
            )
        source_id, start, label, *split = fields
        start_s = seconds(start, "start")
        end_s = round(start_s + self.duration_s, 6)
        return make_clip(source_id, start_s, end_s, [label], "".join(split))

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        if len(clip.labels) > 1:
            raise ValueError(f"it has {len(clip.labels)} labels, and there is a place for one")
        if abs(clip.duration_s - self.duration_s) > 1e-3:
            raise ValueError(
                f"it is {number(clip.duration_s)} s long, all are {number(self.duration_s)} s long"
            )
        text = io.StringIO()
        fields = [clip.source_id, number(clip.start_s), *(clip.labels or [""])]
        csv.writer(text, lineterminator="").writerow(fields + [clip.split] * bool(clip.split))
        return text.getvalue()

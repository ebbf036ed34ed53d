"""The catalog of a folder of voices."""

import csv
import io
from collections.abc import Iterable

from sample.voices.folder import SoundFile

__all__ = ["CLIP_S", "list_clips"]

CLIP_S = 3.0
_SHORTEST_S = 1.5


def list_clips(voices: Iterable[SoundFile]) -> str:
    """The rows of a catalog: clips of `CLIP_S` one after the other, a short file as one clip.

    What is left over lies half before the first and half behind the last, as files often begin and
    end with silence.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(("source_id", "start_s", "end_s", "labels", "split"))
    for voice in voices:
        for start_s, end_s in _spans_s(voice.duration_s):
            times = (f"{start_s:.3f}", f"{end_s:.3f}")
            writer.writerow((voice.source_id, *times, voice.speaker, voice.split))
    return lines.getvalue()


def _spans_s(duration_s: float) -> list[tuple[float, float]]:
    count = int(duration_s / CLIP_S)
    if not count:
        return [(0.0, duration_s)] if duration_s >= _SHORTEST_S else []
    first_s = (duration_s - count * CLIP_S) / 2
    return [(first_s + n * CLIP_S, first_s + (n + 1) * CLIP_S) for n in range(count)]

"""How much of a stretch of a picture can be decoded."""

from pathlib import Path

from preprocessing.encoding.stretch import Stretch, decode_frames

__all__ = ["MAX_DAMAGE", "damaged_share"]

MAX_DAMAGE = 0.1
"""A clip with a larger share of damaged frames is corrupt."""


def damaged_share(path: Path, stretch: Stretch, start_s: float, end_s: float) -> float:
    """The share of frames between two instants that are damaged, or do not come out.

    What comes before a file's first keyframe was never whole, and does not count.

    Args:
        path: the file.
        stretch: when its frames are shown.
        start_s: the first instant, in seconds from the start of the file.
        end_s: the instant after the last.

    Raises:
        MediaError: `corrupt` if the file cannot be read.
    """
    times = [time for time in stretch.times if start_s <= stretch.seconds(time) < end_s]
    n_good = sum(1 for _ in decode_frames(path, stretch, times))
    return 1 - n_good / len(set(times)) if times else 0.0

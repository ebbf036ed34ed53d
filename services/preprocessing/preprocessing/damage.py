"""How much of a stretch of a picture can be decoded."""

from pathlib import Path

import av
from av.error import FFmpegError

from s2s.media import open_guarded

__all__ = ["MAX_DAMAGE", "damaged_share"]

MAX_DAMAGE = 0.1
"""A clip with a larger share of damaged frames is corrupt."""

_RUN_UP_S = 1.0


def damaged_share(path: Path, start_s: float, end_s: float) -> float:
    """The share of frames between two instants that are damaged, or do not come out.

    Args:
        path: the file.
        start_s: the first instant, in seconds from the start of the file.
        end_s: the instant after the last.

    Raises:
        MediaError: `corrupt` if the file cannot be read.
    """
    n_frames = n_good = 0
    with open_guarded(path) as file:
        stream = file.streams.video[0]
        origin_s, tick_s = (file.start_time or 0) / av.time_base, float(stream.time_base or 1)
        first, last = (origin_s + start_s) / tick_s, (origin_s + end_s) / tick_s
        file.seek(int((origin_s + max(0.0, start_s - _RUN_UP_S)) * av.time_base))
        for packet in file.demux(stream):
            n_frames += packet.pts is not None and first <= packet.pts < last
            try:
                frames = packet.decode()
            except FFmpegError:
                continue
            n_good += sum(
                not frame.is_corrupt and frame.pts is not None and first <= frame.pts < last
                for frame in frames
            )
            # Frames come out some packets later.
            if packet.dts is not None and packet.dts * tick_s > last * tick_s + _RUN_UP_S:
                break
    return 1 - n_good / n_frames if n_frames else 0.0

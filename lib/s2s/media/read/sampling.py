"""A few frames of a video, without decoding what they do not need."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from s2s.errors import MediaError
from s2s.media.guard.opening import MediaLimits, open_guarded
from s2s.media.guard.streams import only, picture_stream
from s2s.media.read.frames import to_rgb
from s2s.media.read.listing import Listed, decode_listed, list_packets
from s2s.reasons import Reason

__all__ = ["SampledFrames", "sample_frames"]

# Packets of files up to here are kept; those of larger ones are read a second time.
_KEPT_BYTES = 50_000_000


@dataclass(frozen=True)
class SampledFrames:
    """Frames, as many as were asked for.

    Attributes:
        frames: uint8 (T, H, W, 3), RGB; zero where there was none.
        mask: bool (T,), whether there was one.
    """

    frames: np.ndarray
    mask: np.ndarray


def sample_frames(
    path: Path,
    n: int | None = None,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    limits: MediaLimits | None = None,
) -> SampledFrames:
    """Read n frames evenly spaced, or those on screen at k / fps seconds, k = 0, 1, ...

    Frames are chosen by their time stamps, so that a variable rate comes out right. Evenly spaced
    are those on screen in the middle of n equal parts. Pictures are the way up that their
    metadata says.

    Args:
        path: the video.
        n: frames to return; with `fps`, at most so many are read; None for all at `fps`.
        fps: frames a second; None for evenly spaced ones.
        size: width and height to scale to, in pixels; None keeps the video's own.
        limits: see `open_guarded`.

    Returns:
        n frames, or all at the rate. A video with too few of them is padded with zeros.

    Raises:
        ValueError: if neither n nor fps is given.
        MediaError: `no_video` without a picture, `corrupt` if it cannot be decoded.
    """
    if n is None and fps is None:
        raise ValueError("say how many frames (n), or how many a second (fps)")
    limits = limits or MediaLimits()
    packets, tick_s = _listed(path, limits, any_key=False)
    if not packets:
        packets, tick_s = _listed(path, limits, any_key=True)
    times = sorted(packet.pts for packet in packets if packet.is_shown)
    wanted = _choose(times, n, None if fps is None else 1 / (fps * tick_s))
    scaler = VideoReformatter()
    with _opened(path, limits) as (file, stream):
        frames = decode_listed(file, stream, packets, sorted(set(wanted)))
        images = {pts: to_rgb(frame, size, scaler) for pts, frame in frames}
    found = [images[time] for time in wanted if time in images]
    if not found:
        raise MediaError(Reason.CORRUPT, f"{path.name}: no frame of its picture can be decoded")
    frames = np.zeros((max(n or 0, len(found)), *found[0].shape), np.uint8)
    frames[: len(found)] = np.stack(found)
    return SampledFrames(frames, np.arange(len(frames)) < len(found))


def _listed(path: Path, limits: MediaLimits, *, any_key: bool) -> tuple[list[Listed], float]:
    with _opened(path, limits) as (file, stream):
        packets = list_packets(file, stream, keep=file.size <= _KEPT_BYTES, any_key=any_key)
        return packets, float(stream.time_base or 1)


@contextmanager
def _opened(path: Path, limits: MediaLimits) -> Iterator[tuple[InputContainer, VideoStream]]:
    with open_guarded(path, limits) as file:
        stream = picture_stream(file)
        if stream is None:
            raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture")
        only(file, stream)
        stream.thread_type = "NONE"  # so that what is passed over is decided packet by packet
        yield file, stream


def _choose(times: Sequence[int], n: int | None, step: float | None) -> list[int]:
    """Time stamps of the wanted frames, in order."""
    if not times:
        return []
    # The last frame lasts as long as the one before it.
    end = 2 * times[-1] - times[-2] if len(times) > 1 else times[-1] + 1
    if step is not None:
        count = max(1, round((end - times[0]) / step))
        # The middle of a step, so that rounding of time stamps cannot choose a neighbour.
        instants = [times[0] + (k + 0.5) * step for k in range(min(count, n or count))]
    elif n is not None and n < len(times):
        instants = [times[0] + (k + 0.5) * (end - times[0]) / n for k in range(n)]
    else:
        return list(times)
    return [times[max(0, bisect_right(times, instant) - 1)] for instant in instants]

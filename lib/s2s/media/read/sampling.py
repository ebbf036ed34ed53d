"""A few frames of a video, without decoding what they do not need.

Packets are listed first, which decodes nothing. Then only the groups of pictures that hold a
wanted frame are decoded, each up to its last wanted one, and frames that no other refers to are
passed over. What comes out is the same as after decoding everything.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av import Packet, VideoFrame
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from s2s.errors import MediaError
from s2s.media.guard.door import MediaLimits, only, open_guarded
from s2s.media.read.frames import to_rgb
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


@dataclass(frozen=True)
class _Listed:
    """A packet: its time stamps, whether decoding can start with it and it is shown; itself."""

    pts: int
    dts: int
    is_key: bool
    is_shown: bool
    packet: Packet | None


def sample_frames(
    path: Path,
    n: int | None = None,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    limits: MediaLimits | None = None,
) -> SampledFrames:
    """Read n frames evenly spaced, or those on screen at k / fps seconds, k = 0, 1, ...

    Frames are chosen by their time stamps, so that a variable rate comes out right. Evenly spaced
    are those on screen in the middle of n equal parts. Rotation metadata is applied.

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
    with open_guarded(path, limits or MediaLimits()) as file:
        if not file.streams.video:
            raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture")
        stream = file.streams.video[0]
        only(file, stream)
        stream.thread_type = "NONE"  # so that what is passed over is decided packet by packet
        packets = _list_packets(file, stream)
        tick_s = float(stream.time_base or 1)
        times = sorted(packet.pts for packet in packets if packet.is_shown)
        wanted = _choose(times, n, None if fps is None else 1 / (fps * tick_s))
        scaler = VideoReformatter()
        images = {
            frame.pts: to_rgb(frame, size, scaler)
            for frame in _decode(file, stream, packets, sorted(set(wanted)))
        }
    found = [images[time] for time in wanted if time in images]
    if not found:
        raise MediaError(Reason.CORRUPT, f"{path.name}: no frame of its picture can be decoded")
    frames = np.zeros((max(n or 0, len(found)), *found[0].shape), np.uint8)
    frames[: len(found)] = np.stack(found)
    return SampledFrames(frames, np.arange(len(frames)) < len(found))


def _list_packets(file: InputContainer, stream: VideoStream) -> list[_Listed]:
    packets = []
    for packet in file.demux(stream):
        if packet.size and (packet.pts is not None or packet.dts is not None):
            pts = packet.pts if packet.pts is not None else packet.dts or 0
            dts = packet.dts if packet.dts is not None else pts
            kept = packet if file.size <= _KEPT_BYTES else None
            packets.append(_Listed(pts, dts, packet.is_keyframe, not packet.is_discard, kept))
    return packets


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


def _decode(
    file: InputContainer, stream: VideoStream, packets: Sequence[_Listed], wanted: Sequence[int]
) -> Iterator[VideoFrame]:
    places = {packet.pts: at for at, packet in enumerate(packets)}
    keys = [at for at, packet in enumerate(packets) if packet.is_key] or [0]
    chosen = set(wanted)
    for first, last in _runs([places[time] for time in wanted], packets, keys):
        for pts, packet in _packets(file, stream, packets[first : last + 1]):
            stream.codec_context.skip_frame = "DEFAULT" if pts in chosen else "NONREF"
            yield from _wanted(stream.codec_context.decode(packet), chosen)
        yield from _wanted(stream.codec_context.decode(None), chosen)
        stream.codec_context.flush_buffers()


def _packets(
    file: InputContainer, stream: VideoStream, run: Sequence[_Listed]
) -> Iterator[tuple[int, Packet]]:
    """Packets of a run: those that were kept, else read again."""
    if run[0].packet is not None:
        yield from ((listed.pts, listed.packet) for listed in run if listed.packet is not None)
        return
    file.seek(min(run[0].pts, run[0].dts), stream=stream)
    has_begun = False
    for packet in file.demux(stream):
        pts = packet.pts if packet.pts is not None else packet.dts or 0
        has_begun = has_begun or pts == run[0].pts
        if packet.size and has_begun:
            yield pts, packet
        if has_begun and pts == run[-1].pts:
            return


def _runs(
    places: Sequence[int], packets: Sequence[_Listed], keys: Sequence[int]
) -> list[tuple[int, int]]:
    """First and last packets of the stretches that have to be decoded, in order."""
    runs: list[tuple[int, int]] = []
    for place in sorted(places):
        at = max(0, bisect_right(keys, place) - 1)
        if packets[place].pts < packets[keys[at]].pts and at:
            at -= 1  # it shows before its keyframe, and looks behind it
        first = keys[at]
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(runs[-1][1], place))
        else:
            runs.append((first, place))
    return runs


def _wanted(frames: Sequence[VideoFrame], chosen: set[int]) -> Iterator[VideoFrame]:
    for frame in frames:
        if frame.pts in chosen:
            yield frame

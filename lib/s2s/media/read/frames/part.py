"""Frames of a part of a video: nothing before the keyframe in front of it is decoded."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple, TypedDict

import av
import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from s2s.media.guard.opening import MediaLimits
from s2s.media.read.frames.grid import FrameGrid, file_start_s, opened_picture, without_frames
from s2s.media.read.frames.whole import check_count, most_frames
from s2s.media.read.listing import can_seek
from s2s.media.read.order import frames_in_order
from s2s.media.read.recovery import begins_whole

__all__ = ["Part", "PartRead", "write_part"]

# Seeking goes by decoding time: the keyframe that it leads to may be shown after what is asked for.
_RUN_UPS_S = (0.5, 2.0, 10.0, 60.0)

Frames = Iterator[tuple[int, VideoFrame]]


class Part(NamedTuple):
    """A part of a video, and its grid.

    Attributes:
        start_s: where it begins, in seconds from the start of the file.
        end_s: where it ends; None for the end of the video.
        fps: frames a second.
    """

    start_s: float
    end_s: float | None
    fps: int


class PartRead(TypedDict):
    """What was read of a video.

    Attributes:
        first: which step of the grid the first picture is of.
        count: how many pictures there are; none where the part begins after the video's end.
        end_s: how far was read: to the end of the video, if that ends before the part does.
    """

    first: int
    count: int
    end_s: float


def write_part(
    path: Path,
    output: Path,
    part: Part,
    size: tuple[int, int],
    limits: MediaLimits | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> PartRead:
    """Write the frames that are on screen at k / fps seconds of a file to a file of arrays.

    Time counts from the start of the file, as that of sound does: before a picture starts, its
    first frame is shown. Frames are the same, whatever the part that they are asked for in. A step
    more is written on either side of it.

    Args:
        path: the video.
        output: the raw array, see `map_frames`.
        part: which, and how many frames a second.
        size: width and height to scale to, in pixels.
        limits: see `open_guarded`; frames after `max_duration_s` are refused.
        on_progress: told once a second of video how much is done, 0..1.

    Raises:
        MediaError: see `read_frames`.
    """
    limits, fps = limits or MediaLimits(), part.fps
    most = most_frames(limits, fps)
    start_s, end_s = (min(most / fps, most / fps if x is None else x) for x in part[:2])
    first, stop = max(0, math.floor(start_s * fps) - 1), min(most, math.ceil(end_s * fps)) + 1
    count = 0
    with (
        _opened_near(path, limits, (first + 0.5) / fps) as (file, stream, frames),
        output.open("wb") as array,
    ):
        grid = FrameGrid(stream, fps, size, file_start_s(file, stream), first)
        length = min(stop, fps * (file.duration or 0) / av.time_base) - first
        pictures = islice(grid.pictures(frames), stop - first)
        for count, picture in enumerate(pictures, start=1):
            check_count(path, first + count, fps, limits)
            array.write(np.ascontiguousarray(picture).data)
            if count % fps == 0 and count <= length:
                on_progress(count / length)
    if grid.end_s is None:
        raise without_frames(path)
    reached_s = stop / fps if first + count == stop else grid.end_s
    return PartRead(first=first, count=count, end_s=reached_s)


@contextmanager
def _opened_near(
    path: Path, limits: MediaLimits, at_s: float
) -> Iterator[tuple[InputContainer, VideoStream, Frames]]:
    """A file's picture, and its frames from one on that is on screen at an instant, or earlier."""
    for run_up_s in _RUN_UPS_S:
        if run_up_s >= at_s:
            break
        with opened_picture(path, limits) as (file, stream):
            stream.thread_type = "AUTO"
            frames = _sought(file, stream, at_s, run_up_s)
            if frames is not None:
                yield file, stream, frames
                return
    with opened_picture(path, limits) as (file, stream):
        stream.thread_type = "AUTO"
        yield file, stream, frames_in_order(file, stream)


def _sought(
    file: InputContainer, stream: VideoStream, at_s: float, run_up_s: float
) -> Frames | None:
    """Frames from the keyframe before an instant on; None where seeking does not lead there."""
    start_s, tick_s = file_start_s(file, stream), float(stream.time_base or 1)
    if start_s is None or not can_seek(file):
        return None
    try:
        file.seek(round((start_s + at_s - run_up_s) / tick_s), stream=stream)
    except PermissionError:  # what ffmpeg says where a container cannot seek there
        return None
    frames = _from_keyframe(file, stream)
    found = next(frames, None)
    if found is None or found[0] * tick_s > start_s + at_s:
        return None
    return chain([found], frames)


def _from_keyframe(file: InputContainer, stream: VideoStream) -> Frames:
    """Frames from the next whole keyframe on, without those that look behind it."""
    from_pts: int | None = None
    for packet in file.demux(stream):
        if from_pts is None and begins_whole(packet, stream):
            from_pts = packet.pts
        if from_pts is not None:
            for frame in packet.decode():
                if frame.pts is not None and frame.pts >= from_pts:
                    yield frame.pts, frame

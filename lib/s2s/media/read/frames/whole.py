"""All frames of a video, from the first on."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np

from s2s.errors import MediaError
from s2s.media.guard.opening import MediaLimits
from s2s.media.read.frames.grid import FrameGrid, file_start_s, opened_picture, without_frames
from s2s.media.read.frames.picture import Size
from s2s.media.read.order import frames_in_order
from s2s.reasons import Reason

__all__ = [
    "check_count",
    "map_frames",
    "most_bytes",
    "most_frames",
    "picture_start_s",
    "read_frames",
    "stream_frames",
    "write_frames",
]

_TOLERANCE_S = 1.0


def read_frames(
    path: Path,
    fps: int,
    size: tuple[int, int] | None = None,
    limits: MediaLimits | None = None,
) -> np.ndarray:
    """Read the frames that are on screen at k / fps seconds, k = 0, 1, ...; at least the first.

    Frames are chosen by their time stamps, so that a variable or another rate comes out right;
    time counts from the first frame. Pictures are the way up that their metadata says.

    Args:
        path: the video.
        fps: frames a second to return.
        size: width and height to scale to, in pixels, or to `Cover`; None keeps the video's own.
        limits: see `open_guarded`.

    Returns:
        uint8 (T, H, W, 3), RGB.

    Raises:
        MediaError: `no_video` without a picture, `corrupt` if it cannot be decoded.
    """
    return np.stack(list(_frames(path, fps, size, limits)))


def write_frames(
    path: Path,
    output: Path,
    fps: int,
    size: tuple[int, int],
    limits: MediaLimits | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> int:
    """Write what `read_frames` returns to a file, holding one frame at a time.

    Args:
        path: the video.
        output: the raw array, to be mapped as uint8 (T, H, W, 3).
        fps: frames a second to write.
        size: width and height to scale to, in pixels.
        limits: see `open_guarded`; frames after `max_duration_s` are refused.
        on_progress: told once a second of video how much is done, 0..1.

    Returns:
        T, the number of frames.

    Raises:
        MediaError: see `read_frames`.
    """
    limits = limits or MediaLimits()
    count = 0
    with output.open("wb") as file:
        for count, frame in enumerate(_frames(path, fps, size, limits, on_progress), start=1):
            check_count(path, count, fps, limits)
            file.write(np.ascontiguousarray(frame).data)
    return count


def stream_frames(
    path: Path,
    fps: int,
    longest_px: int,
    limits: MediaLimits | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Iterator[np.ndarray]:
    """The frames that `read_frames` returns, one after the other, held one at a time.

    Args:
        path: the video.
        fps: frames a second.
        longest_px: larger ones are scaled to so many pixels along their longer side.
        limits: see `open_guarded`; frames after `max_duration_s` are refused.
        on_progress: told once a second of video how much is done, 0..1.

    Yields:
        uint8 (H, W, 3), RGB.

    Raises:
        MediaError: see `read_frames`.
    """
    limits = limits or MediaLimits()
    for count, frame in enumerate(_frames(path, fps, longest_px, limits, on_progress), start=1):
        check_count(path, count, fps, limits)
        yield frame


def picture_start_s(path: Path, limits: MediaLimits | None = None) -> float:
    """When a file's first frame is shown, in seconds from the start of the file.

    Sound that `read_audio` reads starts with the file, frames start with the first of them.

    Raises:
        MediaError: see `read_frames`.
    """
    with opened_picture(path, limits) as (file, stream):
        start_s = file_start_s(file, stream)
        for pts, _ in frames_in_order(file, stream):
            return 0.0 if start_s is None else pts * float(stream.time_base or 1) - start_s
    raise without_frames(path)


def most_bytes(limits: MediaLimits, fps: int, size: tuple[int, int]) -> int:
    """Most bytes that `write_frames` writes."""
    width, height = size
    return most_frames(limits, fps) * width * height * 3


def most_frames(limits: MediaLimits, fps: int) -> int:
    """Most frames at a rate that a video may have."""
    return math.ceil((limits.max_duration_s + _TOLERANCE_S) * fps)


def check_count(path: Path, count: int, fps: int, limits: MediaLimits) -> None:
    """Make sure that a video has not more frames at a rate than it may.

    Raises:
        MediaError: `refused` if it has.
    """
    if count > most_frames(limits, fps):
        message = f"{path.name}: plays longer than {limits.max_duration_s:.0f} s"
        raise MediaError(Reason.REFUSED, message)


def map_frames(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Map the file that `write_frames` wrote: uint8 (T, H, W, 3)."""
    width, height = size
    return np.memmap(path, np.uint8, mode="r").reshape(-1, height, width, 3)


def _frames(
    path: Path,
    fps: int,
    size: Size,
    limits: MediaLimits | None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Iterator[np.ndarray]:
    with opened_picture(path, limits) as (file, stream):
        stream.thread_type = "AUTO"
        frame, length = None, fps * (file.duration or 0) / av.time_base
        grid = FrameGrid(stream, fps, size)
        for k, frame in enumerate(grid.pictures(frames_in_order(file, stream))):
            yield frame
            if k and k % fps == 0 and k <= length:
                on_progress(k / length)
    if frame is None:
        raise without_frames(path)

"""Frames of a video on a grid of equal steps in time."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from s2s.errors import MediaError
from s2s.media.guard.opening import MediaLimits, open_guarded
from s2s.media.guard.streams import only, picture_stream
from s2s.media.guard.truncation import cut_off, was_cut_off
from s2s.media.interlaced import as_one_picture
from s2s.media.read.order import frames_in_order
from s2s.media.read.orientation import orientation_of
from s2s.reasons import Reason

__all__ = [
    "Cover",
    "map_frames",
    "most_bytes",
    "picture_start_s",
    "read_frames",
    "stream_frames",
    "to_rgb",
    "write_frames",
]

_TOLERANCE_S = 1.0
Size = tuple[int, int] | int | None
"""Width and height in pixels, or the longer of the two at most; None for the video's own."""


class Cover(NamedTuple):
    """A size that pictures cover: scaled as they are shaped, and cropped around their middle.

    Wherever a size is asked for; a plain width and height stretches pictures to these instead.

    Attributes:
        width: in pixels.
        height: in pixels.
    """

    width: int
    height: int


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
    most, count = _most_frames(limits, fps), 0
    with output.open("wb") as file:
        for count, frame in enumerate(_frames(path, fps, size, limits, on_progress), start=1):
            if count > most:
                message = f"{path.name}: plays longer than {limits.max_duration_s:.0f} s"
                raise MediaError(Reason.REFUSED, message)
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
    most = _most_frames(limits, fps)
    for count, frame in enumerate(_frames(path, fps, longest_px, limits, on_progress), start=1):
        if count > most:
            message = f"{path.name}: plays longer than {limits.max_duration_s:.0f} s"
            raise MediaError(Reason.REFUSED, message)
        yield frame


def picture_start_s(path: Path, limits: MediaLimits | None = None) -> float:
    """When a file's first frame is shown, in seconds from the start of the file.

    Sound that `read_audio` reads starts with the file, frames start with the first of them.

    Raises:
        MediaError: see `read_frames`.
    """
    with open_guarded(path, limits or MediaLimits()) as file:
        stream = picture_stream(file)
        if stream is None:
            raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture")
        only(file, stream)
        for pts, _ in frames_in_order(file, stream):
            return pts * float(stream.time_base or 1) - (file.start_time or 0) / av.time_base
    raise _without_frames(path)


def most_bytes(limits: MediaLimits, fps: int, size: tuple[int, int]) -> int:
    """Most bytes that `write_frames` writes."""
    width, height = size
    return _most_frames(limits, fps) * width * height * 3


def _most_frames(limits: MediaLimits, fps: int) -> int:
    return math.ceil((limits.max_duration_s + _TOLERANCE_S) * fps)


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
    with open_guarded(path, limits or MediaLimits()) as file:
        stream = picture_stream(file)
        if stream is None:
            raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture")
        frame, length = None, fps * (file.duration or 0) / av.time_base
        for k, frame in enumerate(_on_grid(file, stream, fps, size)):
            yield frame
            if k and k % fps == 0 and k <= length:
                on_progress(k / length)
    if frame is None:
        raise _without_frames(path)


def _on_grid(
    file: InputContainer, stream: VideoStream, fps: int, size: Size
) -> Iterator[np.ndarray]:
    only(file, stream)
    stream.thread_type = "AUTO"
    step, tick_s = float(1 / (stream.average_rate or fps)), float(stream.time_base or 1)
    first_s: float | None = None
    scaler, pixel = VideoReformatter(), float(stream.sample_aspect_ratio or 1)
    shown: VideoFrame | None = None
    image: np.ndarray | None = None
    k, end_s = 0, 0.0
    for pts, frame in frames_in_order(file, stream):
        first_s = pts * tick_s if first_s is None else first_s
        at_s = pts * tick_s - first_s
        # The middle of a step, so that rounding of time stamps cannot choose a neighbour.
        while shown is not None and (k + 0.5) / fps < at_s:
            image = to_rgb(shown, size, scaler, pixel) if image is None else image
            yield image
            k += 1
        shown, image = frame, None
        end_s = at_s + (_duration_s(frame) or step)
    while shown is not None and (k + 0.5) / fps < end_s:
        image = to_rgb(shown, size, scaler, pixel) if image is None else image
        yield image
        k += 1
    if shown is not None and not k:  # shorter than half a step
        yield to_rgb(shown, size, scaler, pixel)


def _without_frames(path: Path) -> MediaError:
    if was_cut_off(path):
        return cut_off(path)
    message = f"{path.name}: no frame of its picture can be decoded: it is damaged"
    return MediaError(Reason.CORRUPT, message)


def _duration_s(frame: VideoFrame) -> float:
    if not frame.duration or frame.time_base is None:
        return 0.0
    return float(frame.duration * frame.time_base)


def to_rgb(
    frame: VideoFrame,
    size: Size,
    scaler: VideoReformatter,
    pixel_aspect: float = 1.0,
) -> np.ndarray:
    """A decoded frame as an array, the way up that its metadata says.

    Args:
        frame: the frame.
        size: width and height to scale to, in pixels, or to `Cover`, or the longer of both at
            most; None keeps the video's own.
        scaler: the video's; to make one takes longer than to scale.
        pixel_aspect: width of a stored pixel over its height; it counts where a size is covered.

    Returns:
        uint8 (H, W, 3), RGB.
    """
    orientation = orientation_of(frame)
    if isinstance(size, int):
        share = min(1.0, size / max(frame.width, frame.height))
        width, height = (max(1, round(side * share)) for side in (frame.width, frame.height))
    else:
        width, height = size or (0, 0)
        if orientation.is_transposed:
            width, height = height, width
    wide, high = width, height
    if isinstance(size, Cover):
        shown_wide = frame.width * pixel_aspect
        scale = max(width / shown_wide, height / frame.height)
        wide = max(width, round(shown_wide * scale))
        high = max(height, round(frame.height * scale))
    scaled = scaler.reformat(
        as_one_picture(frame, "rgb24"),
        width=wide or None,
        height=high or None,
        format="rgb24",
        interpolation=Interpolation.AREA,
        threads=1,
    )
    image = scaled.to_ndarray()
    if (wide, high) != (width, height):
        left, top = (wide - width) // 2, (high - height) // 2
        image = image[top : top + height, left : left + width]
    return orientation.show(image)

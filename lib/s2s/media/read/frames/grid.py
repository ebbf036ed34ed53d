"""When frames are on screen, and pictures of those that are at the steps of a grid."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from s2s.errors import MediaError
from s2s.media.guard.opening import MediaLimits, open_guarded
from s2s.media.guard.streams import only, picture_stream
from s2s.media.guard.truncation import cut_off, was_cut_off
from s2s.media.read.frames.picture import Size, to_rgb
from s2s.media.read.order import has_stored_order
from s2s.reasons import Reason

__all__ = ["FrameGrid", "file_start_s", "opened_picture", "without_frames"]


class FrameGrid:
    """Pictures of the frames that are on screen in the middle of each step.

    The middle, so that rounding of time stamps cannot choose a neighbour. Before the first frame
    that one is shown.

    Args:
        stream: what is decoded.
        fps: steps a second.
        size: of the pictures.
        origin_s: when step 0 begins, in the stream's time; None for its first frame.
        first: the step to begin with.

    Attributes:
        end_s: when the last frame that was decoded ends, from the origin; None before there is one.
    """

    def __init__(
        self,
        stream: VideoStream,
        fps: int,
        size: Size,
        origin_s: float | None = None,
        first: int = 0,
    ) -> None:
        self.end_s: float | None = None
        self._fps, self._size, self._origin_s, self._first = fps, size, origin_s, first
        self._tick_s = float(stream.time_base or 1)
        self._usual_s = float(1 / (stream.average_rate or fps))
        self._pixel = float(stream.sample_aspect_ratio or 1)
        self._scaler = VideoReformatter()

    def pictures(self, frames: Iterable[tuple[int, VideoFrame]]) -> Iterator[np.ndarray]:
        """Pictures of frames that come with their time stamps, as they are shown.

        Yields:
            uint8 (H, W, 3), RGB, for each step up to the end of the last frame; one at least, if
            the first step is step 0.
        """
        origin_s, shown, image = self._origin_s, None, None
        k = self._first
        for pts, frame in frames:
            origin_s = pts * self._tick_s if origin_s is None else origin_s
            at_s = pts * self._tick_s - origin_s
            while shown is not None and (k + 0.5) / self._fps < at_s:
                image = self._picture_of(shown) if image is None else image
                yield image
                k += 1
            shown, image = frame, None
            self.end_s = at_s + (_duration_s(frame) or self._usual_s)
        while shown is not None and self.end_s is not None and (k + 0.5) / self._fps < self.end_s:
            image = self._picture_of(shown) if image is None else image
            yield image
            k += 1
        if shown is not None and not k:  # shorter than half a step
            yield self._picture_of(shown)

    def _picture_of(self, frame: VideoFrame) -> np.ndarray:
        return to_rgb(frame, self._size, self._scaler, self._pixel)


@contextmanager
def opened_picture(
    path: Path, limits: MediaLimits | None
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file of whose streams only the picture is read.

    Raises:
        MediaError: `no_video` without one; see `open_guarded`.
    """
    with open_guarded(path, limits or MediaLimits()) as file:
        stream = picture_stream(file)
        if stream is None:
            raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture")
        only(file, stream)
        yield file, stream


def file_start_s(file: InputContainer, stream: VideoStream) -> float | None:
    """When a file starts, in the time of its picture; None where that starts with the file.

    That is where packets do not tell when their frames are shown: they are numbered later.
    """
    return (file.start_time or 0) / av.time_base if has_stored_order(file, stream) else None


def without_frames(path: Path) -> MediaError:
    """The error of a file of whose picture nothing can be decoded."""
    if was_cut_off(path):
        return cut_off(path)
    message = f"{path.name}: no frame of its picture can be decoded: it is damaged"
    return MediaError(Reason.CORRUPT, message)


def _duration_s(frame: VideoFrame) -> float:
    if not frame.duration or frame.time_base is None:
        return 0.0
    return float(frame.duration * frame.time_base)

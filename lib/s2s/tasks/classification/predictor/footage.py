"""What is read of a video, and windows of it every second.

Legend: T frames, N samples.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from s2s.errors import MediaError
from s2s.features.arrays import ClipMedia
from s2s.media import PartRead
from s2s.reasons import Reason
from s2s.tasks.classification.data import audible
from s2s.tasks.classification.processor import ClipArrays, ClipProcessor
from s2s.tasks.common.plain import is_plain

__all__ = ["Footage", "Window", "bounds_of", "heard_around", "unheard", "unseen"]

_HOP_S = 1.0


@dataclass(frozen=True)
class Window:
    """A stretch of a video, as long as the clips that the model was trained on, or shorter."""

    start_s: float
    end_s: float
    arrays: ClipArrays


@dataclass(frozen=True)
class Footage:
    """A part of a video. Times are those of the file.

    Attributes:
        bounds_s: where it begins and ends.
        frames_THWC: its frames; they may be mapped, and more than those of the part.
        read: where they lie.
        samples_N: its sound, float32; None where there is none, or none is heard.
        samples_from_s: when that begins.
    """

    bounds_s: tuple[float, float]
    frames_THWC: np.ndarray
    read: PartRead
    samples_N: np.ndarray | None = None
    samples_from_s: int = 0

    def windows(self, processor: ClipProcessor) -> list[Window]:
        """Windows every second, the last one at the end of the part."""
        start_s, end_s = self.bounds_s
        length_s = min(processor.config.spec.duration_s, end_s - start_s)
        last_s = end_s - length_s
        starts = [*np.arange(start_s, last_s, _HOP_S), last_s]
        return [self._window(processor, float(at), length_s) for at in starts]

    def _window(self, processor: ClipProcessor, start_s: float, length_s: float) -> Window:
        place = round(start_s * processor.fps) - self.read["first"]
        first = min(place, len(self.frames_THWC) - 1)
        count = max(1, round(length_s * processor.fps))
        frames = self.frames_THWC[first : first + count]  # mapped: windows overlap, may be many
        mel_MK = None
        if self.samples_N is not None and processor.sample_rate_hz is not None:
            rate_hz = processor.sample_rate_hz
            begin = round(start_s * rate_hz) - self.samples_from_s * rate_hz
            heard_N = self.samples_N[begin : begin + round(length_s * rate_hz)]
            mel_MK = audible(processor.stored_mel(ClipMedia(frames, heard_N)))
        end_s = min(start_s + length_s, self.read["end_s"])  # steps of the grid may go beyond
        return Window(start_s, end_s, (frames, mel_MK))


def bounds_of(span_s: tuple[float, float | None], read: PartRead, fps: int) -> tuple[float, float]:
    """Where a part of a video begins and ends.

    Args:
        span_s: what was asked for; None for the end of the video.
        read: the frames that were found of it.
        fps: their rate.

    Raises:
        MediaError: `start_past_end` if the video ends before it begins.
    """
    start_s, end_s = span_s
    whole_s = (read["first"] + read["count"]) / fps if read["count"] else read["end_s"]
    ends_s = min(whole_s, read["end_s"])
    if start_s >= ends_s:
        raise MediaError(
            Reason.START_PAST_END, f"the video ends after {ends_s:.2f} s, before start_s"
        )
    return start_s, min(whole_s, end_s or whole_s)


def heard_around(bounds_s: tuple[float, float]) -> tuple[int, int]:
    """Whole seconds, with one more on either side, so that a part sounds as it does in the whole.

    Where a rate is changed, samples then lie where they lie in all of the sound.
    """
    start_s, end_s = bounds_s
    return max(0, math.floor(start_s) - 1), math.ceil(end_s) + 1


def unheard(windows: Sequence[Window], *, has_sound: bool, sees: bool) -> str | None:
    """What is told of a model that hears where there was nothing to be heard; None if there was.

    Args:
        windows: of a video.
        has_sound: whether the video has any.
        sees: whether the model has the picture to go by.

    Raises:
        MediaError: `silent` if there was nothing at all to go by.
    """
    silent = sum(window.arrays[1] is None for window in windows)
    if silent == len(windows):
        if not sees:
            message = "its sound is silent, and the model only hears: send one with sound"
            raise MediaError(Reason.SILENT, message)
        what = "is silent" if has_sound else "is missing"
        return f"The video's sound {what}: this answer is by its picture alone."
    if not silent:
        return None
    by = "by the picture alone" if sees else "without anything to go by"
    return (
        f"Nothing is heard in {silent} of {len(windows)} stretches of the video: what is said of "
        f"these is said {by}."
    )


def unseen(windows: Sequence[Window], *, hears: bool) -> str | None:
    """What is told of a model that sees where there was nothing to be seen; None if there was.

    Args:
        windows: of a video.
        hears: whether the model has the sound to go by, where there is any.
    """
    plain = sum(is_plain(window.arrays[0]) for window in windows)
    if not plain:
        return None
    if plain < len(windows):
        return (
            f"The picture is of one colour in {plain} of {len(windows)} stretches of the video: "
            "there is nothing in it to go by."
        )
    is_heard = hears and any(window.arrays[1] is not None for window in windows)
    rest = "this answer is by its sound alone" if is_heard else "this answer means nothing"
    return f"The video's picture is of one colour: there is nothing in it to go by, and {rest}."

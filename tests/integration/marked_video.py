"""Videos that tell the time: every frame shows its number, and the sound clicks when asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

__all__ = ["MarkedVideo", "click_times_s", "frame_numbers"]

_BITS = 10
_WIDTH, _HEIGHT = 160, 96
_CLICK_S = 0.002
_MIN_GAP_S = 0.05


@dataclass(frozen=True)
class MarkedVideo:
    """A video whose frame k shows k in black and white bars, low bit on the left.

    Attributes:
        seconds: length of the picture.
        fps: frames a second.
        frame_times_s: when each frame begins, instead of `fps`.
        clicks_s: when the sound clicks, in the file's time.
        picture_from_s: when the picture begins.
        sound_from_s: when the sound begins.
        sound_s: length of the sound; as long as the picture unless told.
        codecs: of picture and sound.
        sound_rate_hz: samples a second.
    """

    seconds: float = 6.0
    fps: Fraction = Fraction(25)
    frame_times_s: Sequence[float] = ()
    clicks_s: Sequence[float] = field(default=(0.5, 2.25, 3.1, 4.75))
    picture_from_s: float = 0.0
    sound_from_s: float = 0.0
    sound_s: float | None = None
    codecs: tuple[str, str] = ("libx264", "aac")
    sound_rate_hz: int = 44_100

    def times_s(self) -> list[float]:
        """When each frame begins, from the start of the picture."""
        n_frames = int(self.seconds * self.fps)
        return list(self.frame_times_s) or [float(k / self.fps) for k in range(n_frames)]

    def write(self, path: Path) -> Path:
        """Write it; one keyframe at the start, so that every cut is inside a group."""
        with av.open(str(path), "w") as file:
            picture = file.add_stream(self.codecs[0], rate=self.fps)
            assert isinstance(picture, av.VideoStream)
            picture.width, picture.height, picture.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
            picture.codec_context.gop_size = 1000
            tick = 1 / self.fps if self.codecs[0] == "mpeg4" else Fraction(1, 90_000)
            picture.codec_context.time_base = tick
            sound = file.add_stream(self.codecs[1], rate=self.sound_rate_hz, layout="mono")
            assert isinstance(sound, av.AudioStream)
            for number, time_s in enumerate(self.times_s()):
                frame = av.VideoFrame.from_ndarray(_bars(number), format="gray")
                frame = frame.reformat(format="yuv420p")
                frame.pts = round((self.picture_from_s + time_s) / tick)
                frame.time_base = tick
                file.mux(picture.encode(frame))
            file.mux(picture.encode(None))
            for frame in self._sound_frames():
                file.mux(sound.encode(frame))
            file.mux(sound.encode(None))
        return path

    def _sound_frames(self) -> list[av.AudioFrame]:
        rate = self.sound_rate_hz
        samples = np.zeros(round((self.sound_s or self.seconds) * rate), np.float32)
        for time_s in self.clicks_s:
            first = round((time_s - self.sound_from_s) * rate)
            samples[first : first + round(_CLICK_S * rate)] = 0.9
        frames = []
        for first in range(0, len(samples), 1024):
            block = samples[None, first : first + 1024]
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = first + round(self.sound_from_s * rate)
            frames.append(frame)
        return frames


def frame_numbers(frames: np.ndarray) -> list[int]:
    """Read the numbers that frames show.

    Args:
        frames: uint8 (T, H, W, 3).
    """
    columns = ((np.arange(_BITS) + 0.5) * frames.shape[2] / _BITS).astype(int)
    bits = frames[:, frames.shape[1] // 2, columns, 0] > 128
    return [int(row @ (1 << np.arange(_BITS))) for row in bits]


def click_times_s(samples: np.ndarray, rate_hz: int) -> list[float]:
    """When a sound clicks.

    Args:
        samples: float (N,).
        rate_hz: samples a second.
    """
    loud_s = np.flatnonzero(np.abs(samples) > 0.2) / rate_hz
    starts = np.diff(loud_s, prepend=-1.0) > _MIN_GAP_S
    return loud_s[starts].tolist()


def _bars(number: int) -> np.ndarray:
    image = np.full((_HEIGHT, _WIDTH), 30, np.uint8)
    for bit in range(_BITS):
        if number >> bit & 1:
            image[:, bit * _WIDTH // _BITS : (bit + 1) * _WIDTH // _BITS] = 220
    return image

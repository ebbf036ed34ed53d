"""A voice as a film: its sound, and a meter of how loud it is, as nobody was filmed.

Behind the meter are squares of the sound's own: bars alone are so alike from voice to voice that
clips would be taken for copies of each other.

Legend: H height and W width in pixels, C red-green-blue, N samples.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from s2s.media import read_audio
from sample.voices.folder import SoundFile

__all__ = ["VoiceFilm"]

_FPS = 5
_SIZE_PX = 64
_BAR = (240, 180, 70)
_DARKEST, _LIGHTEST = 20, 150
_SQUARES = 8
_BARS = 16
_QUIETEST_DB = -50.0


class VoiceFilm:
    """A film of a sound file; see `sample.film.Film`."""

    fps = _FPS
    sample_rate_hz = 16_000

    def __init__(self, voice: SoundFile, seed: int) -> None:
        del seed  # nothing is made up
        self.voice = voice
        self.source_id = voice.source_id
        self.duration_s = voice.duration_s

    @cached_property
    def _heard(self) -> NDArray[np.float32]:
        return read_audio(self.voice.path, self.sample_rate_hz)

    def samples(self) -> NDArray[np.float32]:
        """Its sound."""
        return np.clip(self._heard, -1, 1)

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Bars: how loud it has been of late, the newest at the right."""
        each = self.sample_rate_hz // self.fps
        padded_N = np.pad(self._heard, (0, -len(self._heard) % each))
        power = (padded_N.reshape(-1, each).astype(np.float64) ** 2).mean(axis=1)
        heights = np.clip(1 - 10 * np.log10(power + 1e-9) / _QUIETEST_DB, 0, 1)
        shown = np.concatenate([np.zeros(_BARS - 1), heights])
        ground_HWC = _squares_of(self._heard)
        for number in range(len(heights)):
            yield _draw_bars(shown[number : number + _BARS], ground_HWC)

    def truth(self) -> dict[str, Any]:
        """Who speaks, and in which file."""
        return {"speaker": self.voice.speaker, "file": self.voice.path.name}


def _squares_of(heard_N: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Squares of greys that the sound decides, so that a copy has the same: uint8 (H, W, C)."""
    rng = np.random.default_rng(crc32(heard_N.tobytes()))
    greys = rng.integers(_DARKEST, _LIGHTEST, (_SQUARES, _SQUARES, 1), dtype=np.uint8)
    side_px = _SIZE_PX // _SQUARES
    return greys.repeat(side_px, axis=0).repeat(side_px, axis=1).repeat(3, axis=2)


def _draw_bars(heights: NDArray[np.float64], ground_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture of bars of these heights, 0..1, before a ground: uint8 (H, W, C)."""
    above_H1 = 1 - (np.arange(_SIZE_PX)[:, None] + 0.5) / _SIZE_PX
    columns_W = np.repeat(heights, _SIZE_PX // _BARS)
    is_bar_HW = (above_H1 < columns_W) & (np.arange(_SIZE_PX) % (_SIZE_PX // _BARS) > 0)
    return np.where(is_bar_HW[..., None], _BAR, ground_HWC).astype(np.uint8)

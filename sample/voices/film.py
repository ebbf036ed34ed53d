"""A voice as a film: its sound, and a meter of how loud it is, as nobody was filmed.

Legend: H height and W width in pixels, C red-green-blue, N samples.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from s2s.media import read_audio
from sample.voices.folder import SoundFile

__all__ = ["VoiceFilm"]

_FPS = 5
_SIZE_PX = 64
_GROUND, _BAR = (28, 30, 36), (240, 180, 70)
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
        for number in range(len(heights)):
            yield _draw_bars(shown[number : number + _BARS])

    def truth(self) -> dict[str, Any]:
        """Who speaks, and in which file."""
        return {"speaker": self.voice.speaker, "file": self.voice.path.name}


def _draw_bars(heights: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A picture of bars of these heights, 0..1: uint8 (H, W, C)."""
    above_H1 = 1 - (np.arange(_SIZE_PX)[:, None] + 0.5) / _SIZE_PX
    columns_W = np.repeat(heights, _SIZE_PX // _BARS)
    is_bar_HW = (above_H1 < columns_W) & (np.arange(_SIZE_PX) % (_SIZE_PX // _BARS) > 0)
    return np.where(is_bar_HW[..., None], _BAR, _GROUND).astype(np.uint8)

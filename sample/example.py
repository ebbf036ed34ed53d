"""The example that the server's page offers: a silent excerpt of a film of `silent_to_sound`.

python -m sample.example services/serving/serving/http/static/example.mp4
"""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from av import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from sample.canvas import FPS
from sample.render import encode_film
from sample.silent_to_sound.film import film

__all__ = ["Excerpt"]

# A ball that falls, bounces, and is struck; it was chosen by eye.
_SEED, _INDEX, _START_S, _DURATION_S, _SIDE_PX = 0, 33, 14.4, 3.8, 256


class Excerpt:
    """A few seconds of a film, larger and without sound; see `sample.film.Film`."""

    fps = FPS

    def __init__(self) -> None:
        self._film = film(_SEED, _INDEX)
        self.source_id = self._film.source_id
        self.sample_rate_hz = self._film.sample_rate_hz
        self.duration_s = _DURATION_S

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Its pictures."""
        first, count = round(_START_S * FPS), round(_DURATION_S * FPS)
        for pixels in islice(self._film.frames(), first, first + count):
            frame = VideoFrame.from_ndarray(pixels, format="rgb24")
            small = frame.reformat(_SIDE_PX, _SIDE_PX, interpolation=Interpolation.BICUBIC)
            yield np.asarray(small.to_ndarray(), np.uint8)

    def samples(self) -> None:
        """It is silent."""
        return

    def truth(self) -> dict[str, Any]:
        """What happens in the whole film."""
        return self._film.truth()


if __name__ == "__main__":
    encode_film(Excerpt(), Path(sys.argv[1]))

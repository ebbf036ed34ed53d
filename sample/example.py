"""Examples that the server's page offers: excerpts of rendered films, enlarged.

python -m sample.example generation services/serving/serving/http/static/example.mp4
python -m sample.example actions lib/s2s/tasks/classification/page/example.mp4
python -m sample.example contest lib/s2s/tasks/classification/page/example.vggsound_contest.mp4
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from av import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from sample.film import load_world
from sample.render import encode_film

__all__ = ["EXCERPTS", "Excerpt"]


@dataclass(frozen=True)
class _Part:
    """Which part of which film; chosen by eye, and by what a trained model says of it.

    Attributes:
        world: the folder of the film's world.
        index: of the film.
        start_s: where the part begins.
        duration_s: how long it is.
        side_px: of its square picture.
        is_silent: whether its sound is left out.
    """

    world: str
    index: int
    start_s: float
    duration_s: float
    side_px: int
    is_silent: bool = True


EXCERPTS = {
    # A ball that falls, bounces, and is struck.
    "generation": _Part("silent_to_sound", 33, 14.4, 3.8, 256),
    "actions": _Part("kinetics_actions", 4, 0.0, 8.0, 160),
    # A radio that ticks, a ring, and a radio with a rising tone.
    "contest": _Part("vggsound_contest", 2, 0.0, 9.0, 160, is_silent=False),
}
"""By what the page offers them for."""


class Excerpt:
    """A few seconds of a film, larger; see `sample.film.Film`.

    Args:
        name: one of `EXCERPTS`.
    """

    def __init__(self, name: str) -> None:
        self._part = EXCERPTS[name]
        self._film = load_world(self._part.world).film(0, self._part.index)
        self.fps = self._film.fps
        self.source_id = self._film.source_id
        self.sample_rate_hz = self._film.sample_rate_hz
        self.duration_s = self._part.duration_s

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Its pictures."""
        part = self._part
        first, count = round(part.start_s * self.fps), round(part.duration_s * self.fps)
        for pixels in islice(self._film.frames(), first, first + count):
            frame = VideoFrame.from_ndarray(pixels, format="rgb24")
            shown = frame.reformat(part.side_px, part.side_px, interpolation=Interpolation.BICUBIC)
            yield np.asarray(shown.to_ndarray(), np.uint8)

    def samples(self) -> NDArray[np.float32] | None:
        """Its sound, or that it is silent."""
        heard = None if self._part.is_silent else self._film.samples()
        if heard is None:
            return None
        first, count = (
            round(seconds * self.sample_rate_hz)
            for seconds in (self._part.start_s, self._part.duration_s)
        )
        return heard[first : first + count]

    def truth(self) -> dict[str, Any]:
        """What happens in the whole film."""
        return self._film.truth()


if __name__ == "__main__":
    encode_film(Excerpt(sys.argv[1]), Path(sys.argv[2]))

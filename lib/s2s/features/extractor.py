"""The contract that every extractor keeps: a clip in, an array over time out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = ["ClipMedia", "Extractor"]


@dataclass(frozen=True)
class ClipMedia:
    """A decoded clip on the grid of its time spec.

    Attributes:
        frames_THWC: pictures, uint8, RGB, one each 1/fps seconds.
        samples_N: mono sound, float32 in -1..1; may be a little shorter or longer than the
            pictures last.
    """

    frames_THWC: np.ndarray  # T time, H height, W width, C channels
    samples_N: np.ndarray  # N samples


class Extractor(Protocol):
    """Clip -> array of features over time.

    Attributes:
        name: name of the array in a shard.
        dim: features at one instant.
        rate_hz: instants a second.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - see the class

    @property
    def dim(self) -> int: ...  # noqa: D102 - see the class

    @property
    def rate_hz(self) -> int: ...  # noqa: D102 - see the class

    def __call__(self, clip: ClipMedia) -> np.ndarray:
        """Extract float32 (T, dim); T follows from the number of pictures."""
        ...

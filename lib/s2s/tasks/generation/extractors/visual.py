"""The contract that every extractor keeps: a clip in, an array over time out.

Legend: T frames, H height, W width, C channels, D features.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch.nn.functional import interpolate

from s2s.features.arrays import ClipMedia

__all__ = ["Extractor", "Visual", "as_pictures", "in_pieces"]


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


class Visual(Extractor, Protocol):
    """An extractor that looks at the pictures alone: one row for each.

    Attributes:
        frame_size: width and height that it sees pictures in, in pixels.
    """

    @property
    def frame_size(self) -> tuple[int, int]: ...  # noqa: D102 - see the class

    def of_frames(self, frames_THWC: np.ndarray) -> np.ndarray:
        """Features of pictures.

        Args:
            frames_THWC: uint8 (T, H, W, 3), T at least 1; of any length and size, and may be
                mapped from disk: only a piece of it is held in memory.

        Returns:
            float32 (T, dim).
        """
        ...


def in_pieces(
    frames_THWC: np.ndarray, piece: int, extract: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Features of a video a piece at a time, where each row needs the frame before it as well.

    Args:
        frames_THWC: the video.
        piece: frames in a piece.
        extract: features of a piece, (T, H, W, C) -> (T, D).
    """
    rows = []
    for start in range(0, len(frames_THWC), piece):
        seen = frames_THWC[max(0, start - 1) : start + piece]
        rows.append(extract(seen)[min(start, 1) :])
    return np.concatenate(rows)


def as_pictures(frames_THWC: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    """Pictures as networks take them: float32 (T, C, H, W) in 0..1.

    Args:
        frames_THWC: uint8 (T, H, W, C).
        size: width and height that they are scaled to, in pixels.
    """
    pictures_TCHW = torch.from_numpy(np.array(frames_THWC)).permute(0, 3, 1, 2) / 255.0
    width, height = size
    if pictures_TCHW.shape[2:] == (height, width):
        return pictures_TCHW
    return interpolate(pictures_TCHW, (height, width), mode="area")

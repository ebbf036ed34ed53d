"""The base class of visual extractors: one row of features for each frame of a clip.

Legend: T frames, H height, W width, C channels, D features.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch.nn.functional import interpolate

from s2s.features.arrays import ArraySpec, ClipMedia

__all__ = ["APPEARANCE", "MOTION", "PictureExtractor", "as_pictures", "in_pieces"]

MOTION = "motion"
"""The stream of what moves."""
APPEARANCE = "appearance"
"""The stream of what things look like."""


class PictureExtractor(ABC):
    """Computes one row of features for each frame, from the frames alone.

    Args:
        name: of its stream.
        dim: features of a picture.
        frame_size: width and height that frames are scaled to, in pixels.
        fps: pictures a second.
    """

    def __init__(self, name: str, dim: int, frame_size: tuple[int, int], fps: int) -> None:
        self.name = name
        self.dim = dim
        self.frame_size = frame_size
        self.arrays = (ArraySpec(name=name, shape=(dim,), rate_hz=fps),)

    def __call__(self, clip: ClipMedia) -> Mapping[str, np.ndarray]:
        """Features of each picture: float32 (T, dim), under the stream's name."""
        return {self.name: self.of_frames(clip.frames_THWC)}

    @abstractmethod
    def of_frames(self, frames_THWC: np.ndarray) -> np.ndarray:
        """Features of pictures.

        Args:
            frames_THWC: uint8 (T, H, W, 3), T at least 1; of any length and size, and may be
                mapped from disk: only a piece of it is held in memory.

        Returns:
            float32 (T, dim).
        """


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

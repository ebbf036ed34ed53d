"""Appearance without any weights: the colours of the picture, which hint at the material.

Legend: T frames, H height, W width, C channels.
"""

import numpy as np
import torch
from torch.nn.functional import adaptive_max_pool2d

from s2s.spec import TimeSpec
from s2s.tasks.generation.extractors.motion import FRAME_SIZE
from s2s.tasks.generation.extractors.pictures import (
    APPEARANCE,
    PictureExtractor,
    as_pictures,
    in_pieces,
)
from s2s.tasks.generation.settings import GenerationFeatureSettings

__all__ = ["Colours"]

_GAIN = 3.0
"""Brings features to a deviation near one."""
_PIECE_FRAMES = 256


class Colours(PictureExtractor):
    """Opponent channels, pooled on a grid: light - dark, red - green, yellow - blue.

    Each cell has the most and the least of each: so a small thing of a strong colour shows,
    whatever is behind it. Means would tell backgrounds apart, and networks that see few of them
    learn those by heart.

    Args:
        spec: the frame rate.
        settings: how many cells the grid has.
    """

    def __init__(self, spec: TimeSpec, settings: GenerationFeatureSettings) -> None:
        self._grid = settings.colour_grid
        super().__init__(APPEARANCE, 6 * self._grid**2, FRAME_SIZE, spec.fps)

    def of_frames(self, frames_THWC: np.ndarray) -> np.ndarray:
        """Most, then least of each channel in each cell, in -3..3; see `PictureExtractor`."""
        return in_pieces(frames_THWC, _PIECE_FRAMES, self._of_piece)

    def _of_piece(self, frames_THWC: np.ndarray) -> np.ndarray:
        colours = _GAIN * _opponents(as_pictures(frames_THWC, FRAME_SIZE))
        most = adaptive_max_pool2d(colours, self._grid)
        least = -adaptive_max_pool2d(-colours, self._grid)
        return torch.cat([most.flatten(1), least.flatten(1)], dim=1).numpy()


def _opponents(pictures_TCHW: torch.Tensor) -> torch.Tensor:
    red, green, blue = pictures_TCHW.unbind(dim=1)
    light = 2 * (red + green + blue) / 3 - 1
    return torch.stack([light, red - green, (red + green) / 2 - blue], dim=1)

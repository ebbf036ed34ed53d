"""Motion without any weights: differences between frames.

Legend: T frames, H height, W width, C channels.
"""

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

from s2s.spec import TimeSpec
from s2s.tasks.generation.extractors.pictures import (
    MOTION,
    PictureExtractor,
    as_pictures,
    in_pieces,
)
from s2s.tasks.generation.settings import GenerationFeatureSettings

__all__ = ["FRAME_SIZE", "Motion"]

FRAME_SIZE = (64, 64)
"""Width and height that pictures are scaled to: all that the features need."""

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_NOISE = 0.01
"""Change of luma, in 0..1, below which nothing moves: noise of cameras and codecs."""
_GAIN = 16.0
"""Brings features to a deviation near one."""
_PIECE_FRAMES = 256


class Motion(PictureExtractor):
    """Signed frame differences, pooled on a grid.

    The picture gets brighter where something light arrives and darker where it leaves: positive
    and negative parts of the difference are pooled apart, so that the direction of a movement can
    be told. The first picture has no difference.

    Args:
        spec: the frame rate.
        settings: how many cells the grid has.
    """

    def __init__(self, spec: TimeSpec, settings: GenerationFeatureSettings) -> None:
        self._grid = settings.motion_grid
        super().__init__(MOTION, 2 * self._grid**2, FRAME_SIZE, spec.fps)

    def of_frames(self, frames_THWC: np.ndarray) -> np.ndarray:
        """Brightening, then darkening of each cell, in 0..4; see `PictureExtractor`."""
        return in_pieces(frames_THWC, _PIECE_FRAMES, self._of_piece)

    def _of_piece(self, frames_THWC: np.ndarray) -> np.ndarray:
        pictures_TCHW = as_pictures(frames_THWC, FRAME_SIZE)
        luma_THW = torch.einsum("tchw,c->thw", pictures_TCHW, torch.tensor(_LUMA))
        change_THW = torch.diff(luma_THW, dim=0, prepend=luma_THW[:1])
        signs = torch.stack([change_THW, -change_THW], dim=1)
        moved = adaptive_avg_pool2d((signs - _NOISE).clamp_min(0), self._grid)
        return (_GAIN * moved).sqrt().flatten(1).numpy()

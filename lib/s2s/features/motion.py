"""What moves and which colour it has: visual features without any weights.

Legend: T frames, H height, W width, C channels.
"""

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d, adaptive_max_pool2d

from s2s.features.extractor import ClipMedia
from s2s.settings import FeatureSettings
from s2s.spec import TimeSpec

__all__ = ["FRAME_SIZE", "Motion"]

FRAME_SIZE = (64, 64)
"""Width and height that pictures are read with: all that the features need."""

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_NOISE = 0.01
"""Change of luma, in 0..1, below which nothing moves: noise of cameras and codecs."""
_MOTION_GAIN = 16.0
_COLOUR_GAIN = 3.0
"""Both bring features to a deviation near one."""


class Motion:
    """Signed frame differences and colours, pooled on grids.

    The picture gets brighter where something light arrives and darker where it leaves: positive
    and negative parts of the difference are pooled apart, so that the direction of a movement can
    be told. The first picture has no difference.

    Colours are opponent channels: light against dark, red against green, yellow against blue. Each
    cell has the most and the least of each: so a small thing of a strong colour shows, whatever is
    behind it. Means would tell backgrounds apart, and networks that see few of them learn those by
    heart.

    Args:
        spec: the frame rate.
        settings: how many cells the grids have.
    """

    name = "motion"

    def __init__(self, spec: TimeSpec, settings: FeatureSettings) -> None:
        self.spec = spec
        self.settings = settings

    @property
    def dim(self) -> int:
        """Two signs for each motion cell, two ends of three channels for each colour cell."""
        return 2 * self.settings.motion_grid**2 + 6 * self.settings.colour_grid**2

    @property
    def rate_hz(self) -> int:
        """One row for each picture."""
        return self.spec.fps

    def __call__(self, clip: ClipMedia) -> np.ndarray:
        """Features of each picture: float32 (T, dim)."""
        return self.of_frames(clip.frames_THWC)

    def of_frames(self, frames_THWC: np.ndarray) -> np.ndarray:
        """Features of pictures.

        Args:
            frames_THWC: uint8 (T, H, W, 3), of `FRAME_SIZE` where it matters.

        Returns:
            float32 (T, dim): brightening and darkening (0..4), then most and least colour (-3..3).
        """
        pictures_TCHW = torch.from_numpy(np.array(frames_THWC)).permute(0, 3, 1, 2) / 255.0
        luma_THW = torch.einsum("tchw,c->thw", pictures_TCHW, torch.tensor(_LUMA))
        change_THW = torch.diff(luma_THW, dim=0, prepend=luma_THW[:1])
        signs = torch.stack([change_THW, -change_THW], dim=1)
        moved = adaptive_avg_pool2d((signs - _NOISE).clamp_min(0), self.settings.motion_grid)
        colours = _COLOUR_GAIN * _opponents(pictures_TCHW)
        cells = self.settings.colour_grid
        pooled = [
            (_MOTION_GAIN * moved).sqrt(),
            adaptive_max_pool2d(colours, cells),
            -adaptive_max_pool2d(-colours, cells),
        ]
        return torch.cat([part.flatten(1) for part in pooled], dim=1).numpy()


def _opponents(pictures_TCHW: torch.Tensor) -> torch.Tensor:
    red, green, blue = pictures_TCHW.unbind(dim=1)
    light = 2 * (red + green + blue) / 3 - 1
    return torch.stack([light, red - green, (red + green) / 2 - blue], dim=1)

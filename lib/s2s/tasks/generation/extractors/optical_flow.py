"""Motion by optical flow: one of torchvision's RAFT networks.

Teed and Deng 2020, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow".

Legend: T frames, H height, W width, C channels.
"""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d

from s2s.spec import TimeSpec
from s2s.tasks.generation.extractors.pictures import (
    MOTION,
    PictureExtractor,
    as_pictures,
    in_pieces,
)
from s2s.tasks.generation.settings import GenerationFeatureSettings

__all__ = ["OpticalFlow"]

_FRAME_SIZE = (128, 128)  # the smallest that RAFT takes
_PIECE_FRAMES = 16
_UPDATES = 12  # as torchvision's default


class OpticalFlow(PictureExtractor):
    """Speeds to the right, left, down and up, pooled on a grid.

    Args:
        spec: the frame rate.
        settings: how many cells the grid has.
        network: a RAFT network, with weights, on the device that is to be used.
    """

    def __init__(
        self, spec: TimeSpec, settings: GenerationFeatureSettings, network: nn.Module
    ) -> None:
        self._grid = settings.motion_grid
        self._network = network.eval()
        self._device = next(network.parameters()).device
        super().__init__(MOTION, 4 * self._grid**2, _FRAME_SIZE, spec.fps)

    def of_frames(self, frames_THWC: np.ndarray) -> np.ndarray:
        """Square roots of pixels a frame, of pictures of 128; see `PictureExtractor`.

        The first picture has no flow.
        """
        return in_pieces(frames_THWC, _PIECE_FRAMES, self._of_piece)

    @torch.inference_mode()
    def _of_piece(self, frames_THWC: np.ndarray) -> np.ndarray:
        pictures_TCHW = 2 * as_pictures(frames_THWC, _FRAME_SIZE).to(self._device) - 1
        features = torch.zeros(len(frames_THWC), self.dim)
        if len(frames_THWC) > 1:
            before, after = pictures_TCHW[:-1], pictures_TCHW[1:]
            flow = self._network(before, after, num_flow_updates=_UPDATES)[-1].float()
            signs = torch.cat([flow, -flow], dim=1).clamp_min(0)
            features[1:] = adaptive_avg_pool2d(signs, self._grid).sqrt().flatten(1).cpu()
        return features.numpy()

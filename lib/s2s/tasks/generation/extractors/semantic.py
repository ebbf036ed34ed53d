"""Appearance by pretrained classifiers: timm's for images, torchvision's for video.

Legend: T frames, H height, W width, C channels, K frames that are looked at, D features.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import timm
import torch
from timm.data.config import resolve_model_data_config
from torch import nn
from torchvision.models import get_model, get_model_weights

from s2s.spec import TimeSpec
from s2s.tasks.generation.extractors.pictures import APPEARANCE, PictureExtractor, as_pictures
from s2s.tasks.generation.settings import GenerationFeatureSettings

__all__ = ["Backbone", "Semantic", "make_backbone"]

_CLIP_FRAMES = 16
"""Frames that torchvision's video networks take at a time."""
_HEADS = ("fc", "classifier", "head")
_LOOKS_AT_A_TIME = {1: 32, _CLIP_FRAMES: 4}


@dataclass(frozen=True)
class Backbone:
    """A network without its last layer, and how it wants its pictures.

    Attributes:
        network: pictures to features; without weights yet.
        dim: features.
        side: width and height of its pictures, in pixels.
        mean: of each colour, in 0..1.
        std: of each colour.
        frames: frames in one look; 1 for an image network.
    """

    network: nn.Module
    dim: int
    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    frames: int = 1


def make_backbone(name: str) -> Backbone:
    """The architecture that a recipe names.

    Args:
        name: `timm/NAME` or `torchvision/NAME`.

    Raises:
        ValueError: if there is none of that name.
    """
    library, _, model = name.partition("/")
    if library == "timm":
        network = timm.create_model(model, pretrained=False, num_classes=0)
        data = resolve_model_data_config(network)
        dim = cast("int", network.num_features)
        return Backbone(network, dim, data["input_size"][-1], data["mean"], data["std"])
    network = get_model(model, weights=None)
    data = get_model_weights(model)["DEFAULT"].transforms()
    head = next(part for part in _HEADS if hasattr(network, part))
    dim = next(
        layer.in_channels if isinstance(layer, nn.Conv3d) else layer.in_features
        for layer in getattr(network, head).modules()
        if isinstance(layer, nn.Conv3d | nn.Linear)
    )
    setattr(network, head, nn.Identity())
    side = data.crop_size[0]
    return Backbone(network, dim, side, tuple(data.mean), tuple(data.std), _CLIP_FRAMES)


class Semantic(PictureExtractor):
    """A network's features, every few frames; rows in between are repeated.

    Args:
        spec: the frame rate.
        settings: how often it looks.
        backbone: the network, with weights, on the device that is to be used.
    """

    def __init__(
        self, spec: TimeSpec, settings: GenerationFeatureSettings, backbone: Backbone
    ) -> None:
        self._every = settings.semantic_every
        self._backbone = backbone
        self._network = backbone.network.eval()
        self._device = next(backbone.network.parameters()).device
        super().__init__(APPEARANCE, backbone.dim, (backbone.side, backbone.side), spec.fps)

    @torch.inference_mode()
    def of_frames(self, frames_THWC: np.ndarray) -> np.ndarray:
        """The network's features; see `PictureExtractor`.

        An image network looks at the middle of each stretch of frames, a video network at the
        frames around it; where the video ends they are those at its end.
        """
        length, frames = len(frames_THWC), self._backbone.frames
        middles = np.arange(0, length, self._every) + self._every // 2
        around = np.arange(frames) - frames // 2
        looks_KF = np.clip(middles[:, None] + around, 0, length - 1)
        at_a_time = _LOOKS_AT_A_TIME[frames]
        rows = [
            self._look(frames_THWC, looks_KF[start : start + at_a_time])
            for start in range(0, len(looks_KF), at_a_time)
        ]
        return np.concatenate(rows).repeat(self._every, axis=0)[:length]

    def _look(self, frames_THWC: np.ndarray, looks_KF: np.ndarray) -> np.ndarray:
        count, frames = looks_KF.shape
        backbone = self._backbone
        pictures = as_pictures(frames_THWC[looks_KF.reshape(-1)], self.frame_size)
        mean, std = (torch.tensor(each)[:, None, None] for each in (backbone.mean, backbone.std))
        pictures = ((pictures - mean) / std).to(self._device)
        if frames > 1:
            pictures = pictures.unflatten(0, (count, frames)).transpose(1, 2)
        with torch.autocast(self._device.type, enabled=self._device.type == "cuda"):
            return self._network(pictures).flatten(1).float().cpu().numpy()

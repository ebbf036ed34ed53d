"""A classifier's shape, whether clips of that size fit through it, and what one costs."""

import copy

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from s2s.errors import ModelError
from s2s.tasks.classification.network.config import ClassifierConfig
from s2s.tasks.classification.network.inputs import ClipInputs
from s2s.tasks.classification.settings import ClassificationRecipe

__all__ = ["check_size", "config_of", "count_gflops"]


def config_of(recipe: ClassificationRecipe, classes: int) -> ClassifierConfig:
    """Shape of the classifier that a recipe asks for.

    Args:
        recipe: what it asks for.
        classes: number of classes.
    """
    training = recipe.training
    return ClassifierConfig(
        kind=training.model,
        classes=classes,
        backbone=training.backbone,
        frames=training.frames,
        crop_px=training.crop_px,
        mel_bands=recipe.spec.n_mels,
        fusion=training.fusion,
        visual=training.visual,
        dropout=training.dropout,
    )


def check_size(network: nn.Module, config: ClassifierConfig, mel_frames: int) -> None:
    """Make sure that clips of the recipe's size fit through a network.

    Raises:
        ModelError: if they do not: some networks take pictures of one size only, or are too deep
            for small ones.
    """
    try:
        _try_shapes(network, config, mel_frames)
    except (AssertionError, IndexError, RuntimeError, TypeError, ValueError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"training.backbone: {config.backbone} does not take {config.frames} frames of "
            f"{config.crop_px} x {config.crop_px} pixels ({said}): set training.crop_px and "
            "training.frames to what it was made for, such as 224 and 16, or take another backbone"
        ) from error


def count_gflops(network: nn.Module, config: ClassifierConfig, mel_frames: int = 0) -> float:
    """GFLOPs of one view of one clip; a multiplication with its addition counts as one.

    So papers of video networks count, and torchvision's and timm's tables: PyTorch's own counter
    says twice as much. Nothing is computed: shapes alone go through a copy without values.

    Args:
        network: the classifier.
        config: its shape.
        mel_frames: mel frames of a clip, where it hears.
    """
    with FlopCounterMode(display=False) as counter:
        _try_shapes(network, config, mel_frames)
    return counter.get_total_flops() / 2 / 1e9


def _try_shapes(network: nn.Module, config: ClassifierConfig, mel_frames: int) -> None:
    """Send a clip through a copy without values: shapes alone, so nothing is computed.

    Args:
        network: the classifier.
        config: its shape.
        mel_frames: mel frames of a clip, where it hears.
    """
    shape = (1, config.frames, 3, config.crop_px, config.crop_px)
    inputs = ClipInputs(
        torch.empty(shape, device="meta"),
        torch.ones(shape[:2], dtype=torch.bool, device="meta"),
        torch.empty((1, mel_frames, config.mel_bands), device="meta"),
        torch.ones(1, dtype=torch.bool, device="meta"),
    )
    hollow = copy.deepcopy(network).to("meta").eval()
    # In plain layers: of fused ones, for attention, not all work without values, or are counted.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        hollow(inputs)

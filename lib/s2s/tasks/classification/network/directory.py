"""A classifier's model directory: its own part of the config, and what its card says."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from torch import nn

from s2s.model_directory import (
    WEIGHTS_FILE,
    ModelDescription,
    checked_config,
    load_weights,
    read_description,
)
from s2s.tasks.classification.network import ClassifierConfig, make_classifier
from s2s.tasks.common.weights import describe_weights

__all__ = ["ModelConfig", "describe_model", "load_model"]

TASK = "classification"
_SUMMARY = """\
The class of a clip, one of {classes}, by the approach `{kind}`, which {input}.{start}

In the figures below, `prior` says how frequent each class is in training, whatever the clip is."""
_SEEING = "looks at {frames} frames of {side} × {side} pixels"
_HEARING = "hears its log-mel of {bands} bands"


class ModelConfig(BaseModel):
    """All that is needed to use a classifier's weights.

    Attributes:
        network: its shape.
        processor: what makes its input, see `processor.ProcessorConfig`.
        classes: names of the classes, in the order of its scores.
        multi_label: whether a clip may have several: scores are then chances of each, apart.
        weights: where a pretrained backbone was from; `random` where there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: ClassifierConfig
    processor: dict[str, Any]
    classes: tuple[str, ...]
    multi_label: bool = False
    weights: str = "random"


def load_model(folder: Path) -> tuple[nn.Module, ModelConfig, ModelDescription]:
    """Load a model directory.

    Returns:
        the network, ready to be used; its config; and what `config.json` says.

    Raises:
        ModelError: if a file is missing or damaged, or the two do not fit.
    """
    description = read_description(folder, TASK)
    config: ModelConfig = checked_config(folder, ModelConfig, description.config)
    network = make_classifier(config.network)
    load_weights(folder / WEIGHTS_FILE, network)
    return network.eval(), config, description


def describe_model(config: ModelConfig) -> str:
    """Approach, input, classes, and where pretrained weights are from, as Markdown."""
    network, parts = config.network, []
    if network.sees:
        parts.append(_SEEING.format(frames=network.frames, side=network.crop_px))
    if network.hears:
        parts.append(_HEARING.format(bands=network.mel_bands))
    start = ""
    if config.weights != "random":
        start = " " + describe_weights("Its backbone", network.backbone, config.weights)
    return _SUMMARY.format(
        classes=len(config.classes), kind=network.kind, input=" and ".join(parts), start=start
    )

"""A separator's model directory: its own part of the config."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from s2s.model_directory import (
    WEIGHTS_FILE,
    ModelDescription,
    checked_config,
    load_weights,
    read_description,
)
from s2s.tasks.separation.network import SeparatorConfig, make_separator

__all__ = ["ModelConfig", "load_model"]

TASK = "separation"


class ModelConfig(BaseModel):
    """All that is needed to use a separator's weights.

    Attributes:
        network: its shape.
        processor: what makes its input, see `processor.ProcessorConfig`.
        window_s: seconds of the mixtures that it was trained on; longer ones are cut into windows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: SeparatorConfig
    processor: dict[str, Any]
    window_s: float = Field(gt=0)


def load_model(folder: Path) -> tuple[nn.Module, ModelConfig, ModelDescription]:
    """Load a model directory.

    Returns:
        the network, ready to be used; its config; and what `config.json` says.

    Raises:
        ModelError: if a file is missing or damaged, or the two do not fit.
    """
    description = read_description(folder, TASK)
    config: ModelConfig = checked_config(folder, ModelConfig, description.config)
    network = make_separator(config.network)
    load_weights(folder / WEIGHTS_FILE, network)
    return network.eval(), config, description

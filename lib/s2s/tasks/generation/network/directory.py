"""The model directory of a generation model, see `s2s.model_directory`.

vocoder.safetensors   weights of the vocoder, where it has any; beside the files of every model
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from s2s.model_directory import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    ModelDescription,
    checked_config,
    load_weights,
    read_description,
    save_weights,
    write_description,
)
from s2s.spec import TimeSpec
from s2s.tasks.generation.network.istft import IstftConfig
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
from s2s.tasks.generation.settings import GenerationFeatureSettings

__all__ = ["CONFIG_FILE", "WEIGHTS_FILE", "ModelConfig", "load_bundle", "save_bundle"]

_TASK = "generation"
_OF_EVERY_TASK = {"recipe", "version", "spec"}


class ModelConfig(BaseModel):
    """The config of a generation model: all that its weights need to be used.

    Attributes:
        recipe: name of the recipe that the model was trained by.
        version: data set version that it was trained on.
        spec: the time grid.
        features: settings of the extractors.
        network: shape of the network.
        mel_mean: mean of the log-mel that it was trained on.
        mel_std: its standard deviation.
        window_frames: length of the windows that it was trained on, in video frames.
        guidance: classifier-free guidance scale, unless a call says otherwise.
        sampler: how the path from noise to sound is followed.
        sampling_steps: its steps, unless a call says otherwise.
        vocoder: shape of the network that makes sound of mel; None for Griffin-Lim.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    version: str
    spec: TimeSpec
    features: GenerationFeatureSettings
    network: NetworkConfig
    mel_mean: float
    mel_std: float = Field(gt=0)
    window_frames: int = Field(ge=1)
    guidance: float = Field(default=2.5, ge=1)
    sampler: Literal["euler", "heun"] = "euler"
    sampling_steps: int = Field(default=8, ge=1)
    vocoder: IstftConfig | None = None

    @model_validator(mode="after")
    def _check_network(self) -> "ModelConfig":
        if self.network.token_dim != self.spec.token_dim:
            raise ValueError(
                f"the network's tokens have {self.network.token_dim} values, "
                f"those of the time grid {self.spec.token_dim}"
            )
        if self.vocoder is not None and self.vocoder.spec != self.spec:
            raise ValueError(
                f"the vocoder is made for the time grid {self.vocoder.spec}, "
                f"the model's is {self.spec}"
            )
        return self


def save_bundle(folder: Path, network: MelTransformer, config: ModelConfig) -> None:
    """Write a model directory; the config last.

    Args:
        folder: made when it is missing.
        network: its weights are saved.
        config: what goes with them.
    """
    save_weights(folder / WEIGHTS_FILE, network)
    write_description(
        folder,
        ModelDescription(
            task=_TASK,
            recipe=config.recipe,
            version=config.version,
            spec=config.spec,
            config=config.model_dump(mode="json", exclude=_OF_EVERY_TASK),
        ),
    )


def load_bundle(folder: Path) -> tuple[MelTransformer, ModelConfig]:
    """Load a model directory.

    Returns:
        the network, ready to be used, and its config.

    Raises:
        ModelError: if a file is missing or damaged, or the two do not fit.
    """
    description = read_description(folder, _TASK)
    content: dict[str, Any] = {name: getattr(description, name) for name in _OF_EVERY_TASK}
    config: ModelConfig = checked_config(folder, ModelConfig, description.config | content)
    network = MelTransformer(config.network)
    load_weights(folder / WEIGHTS_FILE, network)
    return network.eval(), config

"""A model directory: weights as safetensors and a plain config that pins all they depend on.

model.safetensors       weights
extractors.safetensors  weights of feature extractors that have any
vocoder.safetensors     weights of the vocoder, where it has any
config.json             what is needed to use them
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from s2s.errors import ModelError
from s2s.spec import TimeSpec
from s2s.tasks.generation.network.istft import IstftConfig
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
from s2s.tasks.generation.settings import GenerationFeatureSettings

__all__ = ["CONFIG_FILE", "WEIGHTS_FILE", "ModelConfig", "load_bundle", "save_bundle"]

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
_REMEDY = "fetch the model again, or train it again"


class ModelConfig(BaseModel):
    """All that is needed to use a model's weights.

    Attributes:
        format: version of this layout.
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

    format: int = Field(default=2, ge=2, le=2)
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
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS_FILE)
    (folder / CONFIG_FILE).write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")


def load_bundle(folder: Path) -> tuple[MelTransformer, ModelConfig]:
    """Load a model directory.

    Returns:
        the network, ready to be used, and its config.

    Raises:
        ModelError: if a file is missing or damaged, or the two do not fit.
    """
    try:
        text = (folder / CONFIG_FILE).read_text(encoding="utf-8")
        config = ModelConfig.model_validate_json(text)
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ModelError(
            f"{folder / CONFIG_FILE}: not a model's config ({error}): {_REMEDY}"
        ) from (error)
    network = MelTransformer(config.network)
    try:
        network.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(
            f"{folder / WEIGHTS_FILE}: not the weights that {CONFIG_FILE} describes ({error}): "
            f"{_REMEDY}"
        ) from error
    return network.eval(), config

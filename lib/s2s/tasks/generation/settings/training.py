"""The section `training`: the network, and how it is trained."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from s2s.settings import TrainingSettings, fill_in_size
from s2s.tasks.generation.settings.vocoder import VocoderSettings

__all__ = ["GenerationTrainingSettings"]

_SIZES = {
    "tiny": {"width": 128, "depth": 4, "heads": 4},
    "small": {"width": 384, "depth": 8, "heads": 6},
    "base": {"width": 768, "depth": 12, "heads": 12},
    "large": {"width": 1280, "depth": 28, "heads": 20},
}


class GenerationTrainingSettings(TrainingSettings):
    """How the network is trained.

    Attributes:
        size: sets width, depth and heads where they are not set: `tiny` has 1.2 million
            parameters, `small` 15, `base` 84, `large` 460.
        width: features of a token inside the network.
        depth: number of transformer blocks.
        heads: attention heads.
        window_s: length of the random windows that it is trained on, in seconds.
        null_probability: share of windows trained without any condition, for guidance.
        still_probability: share of windows trained as still pictures: without motion, one
            picture's meaning all the time.
        guidance: classifier-free guidance scale in generation.
        sampler: how the path from noise to sound is followed; `heun` calls the network twice a
            step.
        sampling_steps: steps in generation.
        vocoder: what turns its spectrograms into sound.
    """

    size: Literal["tiny", "small", "base", "large"] = "tiny"
    width: int = Field(default=128, ge=16, multiple_of=8)
    depth: int = Field(default=4, ge=1)
    heads: int = Field(default=4, ge=1)
    window_s: float = Field(default=3.2, gt=0)
    null_probability: float = Field(default=0.1, ge=0, lt=1)
    still_probability: float = Field(default=0.1, ge=0, lt=1)
    guidance: float = Field(default=2.5, ge=1)
    sampler: Literal["euler", "heun"] = "euler"
    sampling_steps: int = Field(default=8, ge=1)
    vocoder: VocoderSettings = VocoderSettings()

    @model_validator(mode="before")
    @classmethod
    def _fill_in_size(cls, content: Any) -> Any:
        return fill_in_size(content, _SIZES)

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError(
                f"width {self.width} must divide into {self.heads} heads of even length"
            )
        if self.null_probability + self.still_probability >= 1:
            raise ValueError("null_probability and still_probability leave nothing of videos")
        if self.vocoder.batch_size % self.n_processes:
            on_nodes = f" of each of nodes {self.nodes}" if self.nodes > 1 else ""
            raise ValueError(
                f"vocoder.batch_size {self.vocoder.batch_size} must divide into devices "
                f"{self.devices}{on_nodes}"
            )
        return self

"""The section `training.vocoder`."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from s2s.settings import Section, fill_in_size

__all__ = ["VocoderSettings"]

_SIZES = {
    "tiny": {"width": 128, "depth": 4, "discriminators": False},
    "small": {"width": 256, "depth": 6, "discriminators": False},
    "base": {"width": 512, "depth": 8, "discriminators": True},
    "large": {"width": 768, "depth": 12, "discriminators": True},
}


class VocoderSettings(Section):
    """Which vocoder turns spectrograms into sound, and how it is trained.

    Attributes:
        kind: `griffin_lim` needs no weights; `istft` is a network that is trained before the
            model, on the sound of its training clips; `file` is one that was trained elsewhere.
        path: of kind `file`: the folder of a Vocos checkpoint, beside the recipe.
        size: sets width, depth and discriminators where they are not set.
        width: features of a mel frame inside the network.
        depth: number of ConvNeXt blocks.
        discriminators: whether networks that tell real sound from made sound teach it as well.
        crop_s: length of the random crops that it is trained on, in seconds.
        batch_size: crops in a batch.
        max_steps: optimizer steps.
        max_minutes: its training stops after this time, wherever it is; None for no limit.
        learning_rate: peak of the schedule.
        max_clips: training clips that are listened to, at most.
    """

    kind: Literal["griffin_lim", "istft", "file"] = "griffin_lim"
    path: str | None = None
    size: Literal["tiny", "small", "base", "large"] = "tiny"
    width: int = Field(default=128, ge=8)
    depth: int = Field(default=4, ge=1)
    discriminators: bool = False
    crop_s: float = Field(default=0.64, gt=0)
    batch_size: int = Field(default=16, ge=1)
    max_steps: int = Field(default=1000, ge=1)
    max_minutes: float | None = Field(default=None, gt=0)
    learning_rate: float = Field(default=2e-3, gt=0)
    max_clips: int = Field(default=5000, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_size(cls, content: Any) -> Any:
        return fill_in_size(content, _SIZES)

    @model_validator(mode="after")
    def _check_path(self) -> Self:
        if (self.kind == "file") != (self.path is not None):
            raise ValueError("path belongs to kind file, and kind file needs a path")
        return self

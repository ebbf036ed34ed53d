"""The shape of a classifier: all that its weights need to be loaded."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["FRAME_MODELS", "ClassifierConfig", "Kind"]

Kind = Literal["frame_average", "cnn_lstm", "cnn_3d", "video_transformer", "audio", "audio_visual"]
FRAME_MODELS = ("frame_average", "cnn_lstm")
"""Models over a 2D network that looks at one frame at a time."""


class ClassifierConfig(BaseModel):
    """Shape of a classifier.

    Attributes:
        kind: which network.
        classes: number of classes.
        backbone: `tiny`, or `timm/NAME` for a 2D network, `torchvision/NAME` for a video network.
        frames: frames of a clip that it looks at.
        crop_px: width and height of its frames.
        mel_bands: bands of the log-mel that it hears.
        fusion: of picture and sound: `late` averages what both say, `mid` lets them look at each
            other before.
        visual: what sees, where picture and sound are fused.
        dropout: share of features that are hidden before the last layer in training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    classes: int = Field(ge=1)
    backbone: str = "tiny"
    frames: int = Field(ge=1)
    crop_px: int = Field(ge=16)
    mel_bands: int = Field(default=80, ge=8)
    fusion: Literal["late", "mid"] = "mid"
    visual: Literal["frame_average", "cnn_lstm", "cnn_3d", "video_transformer"] = "cnn_3d"
    dropout: float = Field(default=0.2, ge=0, lt=1)

    @property
    def sees(self) -> bool:
        """Whether it looks at frames."""
        return self.kind != "audio"

    @property
    def hears(self) -> bool:
        """Whether it hears sound."""
        return self.kind in {"audio", "audio_visual"}

    @property
    def visual_kind(self) -> str:
        """What sees: the model itself, or the part of it that does."""
        return self.visual if self.kind == "audio_visual" else self.kind

    @model_validator(mode="after")
    def _check_backbone(self) -> Self:
        library = self.backbone.partition("/")[0]
        wanted = "timm" if self.visual_kind in {*FRAME_MODELS, "audio"} else "torchvision"
        if library not in {"tiny", wanted}:
            raise ValueError(
                f"backbone {self.backbone}: {self.visual_kind} takes tiny or {wanted}/NAME"
            )
        return self

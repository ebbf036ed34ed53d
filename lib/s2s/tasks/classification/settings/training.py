"""The section `training`: which network, and how it is trained."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from s2s.settings import Section, TrainingSettings, WeightsSource

__all__ = ["AugmentationSettings", "ClassificationTrainingSettings"]

_EXAMPLES = {"timm": "timm/resnet18", "torchvision": "torchvision/r2plus1d_18"}
_NETWORK = re.compile(r"[\w.\-]+")


class AugmentationSettings(Section):
    """How training clips are changed, the same way in all frames of a clip.

    Attributes:
        crop_scale: the least share of the picture that a random crop has; 1 for none but the
            middle.
        flip: share of clips that are mirrored; 0 where left and right are not the same.
        operations: of RandAugment (Cubuk et al. 2020) for each clip, see `magnitude`.
        magnitude: how strong they are, 0..1.
        mixup: alpha of mixup's beta distribution (Zhang et al. 2018); 0 for none.
        mask: share of mel bands, and of mel frames, that are hidden at most (SpecAugment, Park et
            al. 2019).
    """

    crop_scale: float = Field(default=0.7, gt=0, le=1)
    flip: float = Field(default=0.5, ge=0, le=1)
    operations: int = Field(default=0, ge=0, le=8)
    magnitude: float = Field(default=0.3, ge=0, le=1)
    mixup: float = Field(default=0.0, ge=0, le=10)
    mask: float = Field(default=0.1, ge=0, lt=1)


class ClassificationTrainingSettings(TrainingSettings):
    """Which network, and how it is trained.

    Weights come from `hub` (of timm or torchvision), from `file:NAME` beside the recipe, from
    `bucket:KEY`, from `package:NAME/FILE` of an installed Python package, or are `random`.

    Attributes:
        model: the approach.
        backbone: `tiny`, written here; `timm/NAME` for a 2D network, `torchvision/NAME` for a
            video network.
        weights: where a backbone's weights are from.
        visual: what sees in `audio_visual`.
        fusion: of `audio_visual`: `late` averages scores, `mid` lets picture and sound look at
            each other before.
        frames: frames of a clip that the network looks at.
        sampling: `even` takes them over the whole clip, `consecutive` one after the other.
        crop_px: width and height of what it sees of a frame.
        multi_label: whether a clip may have several classes.
        class_weights: `balanced` weighs classes by how rare they are.
        label_smoothing: share of certainty that is given to all classes.
        dropout: share of features that are hidden before the last layer.
        modality_dropout: share of clips that `audio_visual` answers by their sound alone in
            training, and of as many by their picture alone. Either learns from every clip, too.
        augmentation: how training clips are changed.
    """

    model: Literal[
        "frame_average", "cnn_lstm", "cnn_3d", "video_transformer", "audio", "audio_visual"
    ] = "cnn_3d"
    backbone: str = "tiny"
    weights: WeightsSource = "random"
    visual: Literal["frame_average", "cnn_lstm", "cnn_3d", "video_transformer"] = "cnn_3d"
    fusion: Literal["late", "mid"] = "mid"
    frames: int = Field(default=16, ge=1, le=256)
    sampling: Literal["even", "consecutive"] = "even"
    crop_px: int = Field(default=112, ge=16, le=1024)
    multi_label: bool = False
    class_weights: Literal["none", "balanced"] = "none"
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    modality_dropout: float = Field(default=0.15, ge=0, lt=0.5)
    augmentation: AugmentationSettings = AugmentationSettings()

    @model_validator(mode="after")
    def _check_backbone(self) -> Self:
        seeing = self.visual if self.model == "audio_visual" else self.model
        library = "torchvision" if seeing in {"cnn_3d", "video_transformer"} else "timm"
        place, _, name = self.backbone.partition("/")
        if self.backbone != "tiny" and (place != library or not _NETWORK.fullmatch(name)):
            raise ValueError(
                f"backbone {self.backbone}: {seeing} takes tiny or {library}/NAME, such as "
                f"{_EXAMPLES[library]}"
            )
        if self.backbone == "tiny" and self.weights == "hub":
            raise ValueError("weights hub: the backbone tiny is trained from scratch, use random")
        return self

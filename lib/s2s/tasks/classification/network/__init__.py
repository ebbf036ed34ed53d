"""The classifiers, and no training in them."""

from torch import nn

from s2s.errors import ModelError
from s2s.tasks.classification.network.classifier import ClipClassifier
from s2s.tasks.classification.network.config import ClassifierConfig
from s2s.tasks.classification.network.frames import CnnLstm, FrameAverage
from s2s.tasks.classification.network.fusion import AudioVisual
from s2s.tasks.classification.network.inputs import ClipInputs
from s2s.tasks.classification.network.sound import SoundClassifier
from s2s.tasks.classification.network.volume import Cnn3d, VideoNetwork, VideoTransformer
from s2s.tasks.common.hub import names_of_networks

__all__ = ["ClassifierConfig", "ClipInputs", "make_classifier"]


def make_classifier(config: ClassifierConfig) -> nn.Module:
    """A classifier with random weights: `ClipInputs` to scores of classes, (B, K).

    Raises:
        ModelError: if its backbone is none that timm or torchvision knows.
    """
    try:
        if config.kind == "audio":
            return SoundClassifier(config.backbone, config.classes, config.dropout)
        if config.kind == "audio_visual":
            sound = SoundClassifier("tiny", config.classes, config.dropout)
            seeing = _make_visual(config)
            return AudioVisual(seeing, sound, config.classes, config.fusion, config.dropout)
        return _make_visual(config)
    except (ValueError, RuntimeError) as error:
        raise ModelError(
            f"training.backbone: {config.backbone} cannot be made ({error}); "
            f"{names_of_networks(config.backbone)}"
        ) from error


def _make_visual(config: ClassifierConfig) -> ClipClassifier:
    kind, backbone = config.visual_kind, config.backbone
    if kind == "frame_average":
        return FrameAverage(backbone, config.classes, config.dropout)
    if kind == "cnn_lstm":
        return CnnLstm(backbone, config.classes, config.dropout)
    if backbone != "tiny":
        name = backbone.partition("/")[2]
        return VideoNetwork(name, config)
    if kind == "cnn_3d":
        return Cnn3d(config.classes, config.dropout)
    return VideoTransformer(config.classes, config.frames, config.crop_px, config.dropout)

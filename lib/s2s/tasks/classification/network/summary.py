"""What a classifier is, in words for its model card."""

from s2s.tasks.classification.network.directory import ModelConfig
from s2s.tasks.common.origins import describe_weights

__all__ = ["describe_model"]

_SUMMARY = """\
The class of a clip, one of {classes}, by the approach `{kind}`, which {input}.{start}

In the figures below, `prior` says how frequent each class is in training, whatever the clip is."""
_SEEING = "looks at {frames} frames of {side} × {side} pixels"
_HEARING = "hears its log-mel of {bands} bands"


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

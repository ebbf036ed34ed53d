"""What the names of features, models and evaluations of classification say; see `s2s.settings`."""

from collections.abc import Mapping

from s2s.settings import EVALUATION, FEATURES, MODEL, Names, names

__all__ = ["CLASSIFICATION"]

_JPEG = ("feature_extraction.frames", "jpeg")
_BOTH = ("training.model", "audio_visual")

CLASSIFICATION: Mapping[str, Names] = {
    "feature_extraction.frames": names(FEATURES),
    "feature_extraction.frame_rate_hz": names(FEATURES),
    "feature_extraction.height_px": names(FEATURES),
    "feature_extraction.width_px": names(FEATURES),
    "feature_extraction.jpeg_quality": names(FEATURES, only_if=_JPEG),
    "feature_extraction.sound": names(FEATURES),
    "training.model": names(MODEL),
    "training.backbone": names(MODEL),
    "training.weights": names(MODEL),
    "training.visual": names(MODEL, only_if=_BOTH),
    "training.fusion": names(MODEL, only_if=_BOTH),
    "training.frames": names(MODEL),
    "training.sampling": names(MODEL),
    "training.crop_px": names(MODEL),
    "training.multi_label": names(MODEL),
    "training.class_weights": names(MODEL),
    "training.label_smoothing": names(MODEL),
    "training.dropout": names(MODEL),
    "training.modality_dropout": names(MODEL, only_if=_BOTH),
    "training.augmentation.crop_scale": names(MODEL),
    "training.augmentation.flip": names(MODEL),
    "training.augmentation.operations": names(MODEL),
    "training.augmentation.magnitude": names(MODEL, unless=("training.augmentation.operations", 0)),
    "training.augmentation.mixup": names(MODEL),
    "training.augmentation.mask": names(MODEL),
    "evaluation.views": names(EVALUATION),
    "evaluation.crops": names(EVALUATION),
    "evaluation.robustness": names(EVALUATION),
    "evaluation.modality_table": names(EVALUATION),
    "evaluation.pretraining_list": names(EVALUATION, without=""),
}

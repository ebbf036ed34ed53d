"""Which settings of generation the names of its objects hold; see `s2s.settings.naming`."""

from collections.abc import Mapping

from s2s.settings import EVALUATION, EXTRACTORS, FEATURES, MODEL, Names, names

__all__ = ["GENERATION"]

_DIFFERENCES = ("feature_extraction.motion", "differences")
_COLOURS = ("feature_extraction.semantic", "none")
_TRAINED_VOCODER = ("training.vocoder.kind", "istft")
_GIVEN_VOCODER = ("training.vocoder.kind", "file")

GENERATION: Mapping[str, Names] = {
    "feature_extraction.motion": names(FEATURES, EXTRACTORS),
    "feature_extraction.motion_grid": names(FEATURES),
    "feature_extraction.motion_weights": names(FEATURES, EXTRACTORS, unless=_DIFFERENCES),
    "feature_extraction.semantic": names(FEATURES, EXTRACTORS),
    "feature_extraction.semantic_every": names(FEATURES, unless=_COLOURS),
    "feature_extraction.semantic_weights": names(FEATURES, EXTRACTORS, unless=_COLOURS),
    "feature_extraction.colour_grid": names(FEATURES, only_if=_COLOURS),
    "training.size": names(),  # stands for width, depth and heads
    "training.width": names(MODEL),
    "training.depth": names(MODEL),
    "training.heads": names(MODEL),
    "training.window_s": names(MODEL),
    "training.null_probability": names(MODEL),
    "training.still_probability": names(MODEL),
    "training.guidance": names(MODEL),
    "training.sampler": names(MODEL),
    "training.sampling_steps": names(MODEL),
    "training.vocoder.kind": names(MODEL),
    "training.vocoder.path": names(MODEL, only_if=_GIVEN_VOCODER),
    "training.vocoder.size": names(),  # stands for width, depth and discriminators
    "training.vocoder.width": names(MODEL, only_if=_TRAINED_VOCODER),
    "training.vocoder.depth": names(MODEL, only_if=_TRAINED_VOCODER),
    "training.vocoder.discriminators": names(MODEL, only_if=_TRAINED_VOCODER),
    "training.vocoder.crop_s": names(MODEL, only_if=_TRAINED_VOCODER),
    "training.vocoder.batch_size": names(MODEL, only_if=_TRAINED_VOCODER),
    "training.vocoder.max_steps": names(MODEL, only_if=_TRAINED_VOCODER),
    "training.vocoder.max_minutes": names(MODEL, only_if=_TRAINED_VOCODER),
    "training.vocoder.learning_rate": names(MODEL, only_if=_TRAINED_VOCODER),
    "training.vocoder.max_clips": names(MODEL, only_if=_TRAINED_VOCODER),
    "evaluation.seeds_per_clip": names(EVALUATION),
}

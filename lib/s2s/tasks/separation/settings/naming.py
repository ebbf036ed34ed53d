"""What the names of features, models and evaluations of separation say; see `s2s.settings`."""

from collections.abc import Mapping

from s2s.settings import EVALUATION, FEATURES, MODEL, Names, names

__all__ = ["SEPARATION"]

_AUDIO_VISUAL = ("training.model", "audio_visual")
_NO_NOISE = ("training.mixing.noise", 0.0)

SEPARATION: Mapping[str, Names] = {
    "feature_extraction.faces": names(FEATURES),
    "feature_extraction.max_gap_s": names(
        FEATURES, unless=("feature_extraction.faces", "simulated")
    ),
    "feature_extraction.pictures": names(FEATURES),
    "feature_extraction.speech_check": names(FEATURES),
    "training.model": names(MODEL),
    "training.size": names(MODEL),
    "training.window_s": names(MODEL),
    "training.refine": names(MODEL, only_if=_AUDIO_VISUAL),
    "training.mixing.max_speakers": names(MODEL),
    "training.mixing.three_speakers": names(MODEL),
    "training.mixing.same_voice": names(MODEL),
    "training.mixing.silent_face": names(MODEL),
    "training.mixing.noise": names(MODEL),
    "training.mixing.noise_folder": names(MODEL, unless=_NO_NOISE),
    "training.mixing.sir_db": names(MODEL),
    "training.mixing.snr_db": names(MODEL, unless=_NO_NOISE),
    "training.mixing.gain_db": names(MODEL),
    "training.mixing.reverb": names(MODEL),
    "training.mixing.speed": names(MODEL),
    "training.mixing.alone": names(MODEL, without=0.0),
    "training.mixing.disguise": names(MODEL, without=0.0),
    "training.mixing.pauses": names(
        MODEL, without=0.0, only_if=("feature_extraction.faces", "simulated")
    ),
    "evaluation.conditions": names(EVALUATION),
    "evaluation.mixtures": names(EVALUATION),
}

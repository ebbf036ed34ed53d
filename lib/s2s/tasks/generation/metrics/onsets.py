"""Onsets of a sound: their detection, and their agreement between two sounds."""

from dataclasses import dataclass

import librosa
import mir_eval
import numpy as np

__all__ = ["TOLERANCE_S", "OnsetScore", "find_onsets", "score_onsets"]

TOLERANCE_S = 0.05
_HOP_S = 0.01
_FFT_S = 0.032
_LAG = 2
_RISE = 2.5
"""Mean rise of all bands, in dB over 20 ms, that counts: tuned on rendered sound, whose impacts are
known."""
_AUDIBLE_DB = 55.0
"""Sound that is further below the loudest band of the clip is ignored: a faint hiss that comes and
goes would otherwise count as much as a hit, since all bands count alike."""


@dataclass(frozen=True)
class OnsetScore:
    """Agreement of two lists of onsets.

    Attributes:
        matched: pairs within the tolerance, each onset used once.
        reference: onsets of the real sound.
        estimated: onsets of the other.
    """

    matched: int = 0
    reference: int = 0
    estimated: int = 0

    def __add__(self, other: "OnsetScore") -> "OnsetScore":
        return OnsetScore(
            self.matched + other.matched,
            self.reference + other.reference,
            self.estimated + other.estimated,
        )

    @property
    def precision(self) -> float:
        """Share of the estimated onsets that are real; 0 without any."""
        return self.matched / self.estimated if self.estimated else 0.0

    @property
    def recall(self) -> float:
        """Share of the real onsets that were found; 0 without any."""
        return self.matched / self.reference if self.reference else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two; 1 if there is nothing to find and nothing was found."""
        total = self.reference + self.estimated
        return 2 * self.matched / total if total else 1.0


def find_onsets(samples_N: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Instants in seconds, float64 (K,), at which the sound rises.

    Analysis windows that reach beyond the sound are left out, so that neither its beginning nor its
    end counts as an onset.
    """
    hop = round(_HOP_S * sample_rate_hz)
    n_fft = round(_FFT_S * sample_rate_hz)
    power = librosa.feature.melspectrogram(
        y=samples_N, sr=sample_rate_hz, n_fft=n_fft, hop_length=hop
    )
    rise = librosa.onset.onset_strength(
        S=librosa.power_to_db(power, ref=np.max, top_db=_AUDIBLE_DB),
        sr=sample_rate_hz,
        hop_length=hop,
        n_fft=n_fft,
        lag=_LAG,
    )
    onsets_s = librosa.onset.onset_detect(
        onset_envelope=rise,
        sr=sample_rate_hz,
        hop_length=hop,
        units="time",
        normalize=False,
        delta=_RISE,
        pre_max=3,
        post_max=3,
        pre_avg=10,
        post_avg=10,
        wait=4,
    )
    first_s = _FFT_S / 2 + _LAG * _HOP_S
    last_s = len(samples_N) / sample_rate_hz - _FFT_S / 2
    return onsets_s[(onsets_s >= first_s) & (onsets_s <= last_s)]


def score_onsets(
    reference_s: np.ndarray, estimated_s: np.ndarray, tolerance_s: float = TOLERANCE_S
) -> OnsetScore:
    """Match onsets that are no further apart than the tolerance, as many pairs as there can be."""
    pairs = (
        mir_eval.util.match_events(reference_s, estimated_s, tolerance_s)
        if len(reference_s) and len(estimated_s)
        else []
    )
    return OnsetScore(len(pairs), len(reference_s), len(estimated_s))

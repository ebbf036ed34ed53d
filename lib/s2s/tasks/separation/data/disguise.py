"""Other voices out of one: formants and loudness over frequency moved, time and pitch left.

Few speakers are soon known by heart. A longer or shorter vocal tract and another recording make a
speaker that nobody has heard (vocal tract length perturbation, Jaitly and Hinton 2013, here with
the pitch left where it was); `FacePlan.speed` moves pitch, formants and time together.

Legend: N samples, T frames, F frequencies, K knots.
"""

import numpy as np

__all__ = ["disguised"]

_WINDOW_S = 0.032
_TRACT = (0.84, 1.19)
"""Factor of the formants' frequencies: of a woman's to a man's they differ by about 1.17 (Peterson
and Barney 1952)."""
_ENVELOPE_S = 0.0018
"""What of the cepstrum is the tract: shorter than any voice's period, of 265 Hz at most."""
_MOST_DB = 15.0
"""By how much a frequency is changed at most."""
_TILT_DB, _EQUAL_DB, _KNOTS = (-6.0, 6.0), 3.0, 7
"""What a room, a microphone, and its distance do: a slope over all frequencies, and hills and
valleys at so many places."""
_LEAST = 1e-6


def disguised(voice_N: np.ndarray, sample_rate_hz: int, seed: int) -> np.ndarray:
    """A voice as another speaker's, recorded otherwise; float32 (N,), as loud as before.

    Args:
        voice_N: float32, one voice.
        sample_rate_hz: its rate.
        seed: of the other speaker.
    """
    rng = np.random.default_rng(seed)
    half = round(_WINDOW_S * sample_rate_hz / 2)
    window_N = np.sin(np.pi * (np.arange(2 * half) + 0.5) / (2 * half)).astype(np.float32)
    frames = -(-len(voice_N) // half) + 1
    padded_N = np.pad(voice_N, (half, frames * half - len(voice_N)))
    parts = padded_N.reshape(-1, half)
    spectrum_TF = np.fft.rfft(np.concatenate([parts[:-1], parts[1:]], axis=1) * window_N, axis=1)
    tract_TF = _moved_formants(
        np.abs(spectrum_TF),
        float(np.exp(rng.uniform(*np.log(_TRACT)))),
        round(_ENVELOPE_S * sample_rate_hz),
    )
    gain_TF = np.clip(tract_TF + _equaliser(rng, spectrum_TF.shape[1]), -_MOST_DB, _MOST_DB)
    changed = np.fft.irfft(spectrum_TF * 10 ** (gain_TF / 20), 2 * half, axis=1) * window_N
    summed_N = np.zeros(len(padded_N), np.float32)
    summed_N[:-half] += changed[:, :half].reshape(-1)
    summed_N[half:] += changed[:, half:].reshape(-1)
    found_N = summed_N[half : half + len(voice_N)]
    before, after = (float(np.sqrt(np.mean(x * x))) for x in (voice_N, found_N))
    return found_N * np.float32(before / max(after, _LEAST))


def _moved_formants(magnitude_TF: np.ndarray, factor: float, kept: int) -> np.ndarray:
    """What to add to each frame, dB, for formants at so many times their frequencies."""
    n_frequencies = magnitude_TF.shape[1]
    level_TF = 20 * np.log10(magnitude_TF + _LEAST)
    cepstrum = np.fft.irfft(level_TF, axis=1)
    cepstrum[:, kept : cepstrum.shape[1] - kept + 1] = 0
    smooth_TF = np.fft.rfft(cepstrum, axis=1).real
    at_F = np.minimum(np.arange(n_frequencies) / factor, n_frequencies - 1)
    before_F = at_F.astype(int)
    after_F = np.minimum(before_F + 1, n_frequencies - 1)
    share_F = at_F - before_F
    return (1 - share_F) * smooth_TF[:, before_F] + share_F * smooth_TF[:, after_F] - smooth_TF


def _equaliser(rng: np.random.Generator, n_frequencies: int) -> np.ndarray:
    """Loudness over frequency, dB (F,)."""
    place_F = np.linspace(0, 1, n_frequencies)
    knots_K = rng.normal(size=_KNOTS) * _EQUAL_DB
    hills_F = np.interp(place_F, np.linspace(0, 1, _KNOTS), knots_K)
    return hills_F + rng.uniform(*_TILT_DB) * (place_F - 0.5)

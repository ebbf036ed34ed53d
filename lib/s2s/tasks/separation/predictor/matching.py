"""Which voice is whose, by what moves together: no training in it.

Legend: T pictures, N samples, D lip values, S faces, K voices.
"""

from itertools import permutations

import numpy as np

__all__ = ["assign_voices", "fit_of"]

_LAG = 3
"""Pictures by which lips may be before or behind the sound."""
_FLOOR_DB = -50.0


def fit_of(lips_TD: np.ndarray, seen_T: np.ndarray, voice_N: np.ndarray) -> float:
    """How well lips go together with a voice, about -1..1.

    It is the correlation of the voice's loudness in dB with the opening of the lips, and with how
    fast that changes, at the best lag.

    Args:
        lips_TD: a lip stream.
        seen_T: where the face was seen.
        voice_N: over the same time.
    """
    length = len(lips_TD)
    samples = len(voice_N) // max(1, length)
    if not samples or seen_T.sum() < 4 * _LAG:
        return 0.0
    power_T = np.square(voice_N[: length * samples].reshape(length, samples)).mean(axis=1)
    loud_T = 10 * np.log10(power_T / max(float(power_T.max()), 1e-12) + 1e-12)
    loud_T = np.maximum(loud_T, _FLOOR_DB)
    opening_T = lips_TD[:, 0].astype(np.float32)
    speed_T = np.abs(np.gradient(opening_T))
    fits = []
    for lag in range(-_LAG, _LAG + 1):
        shifted_T = np.roll(loud_T, lag)
        kept = seen_T & (np.abs(np.arange(length) - length / 2) < length / 2 - _LAG)
        fits.append(sum(_correlation(x[kept], shifted_T[kept]) for x in (opening_T, speed_T)) / 2)
    return max(fits)


def assign_voices(fits_SK: np.ndarray) -> list[int | None]:
    """A voice for each face, no voice twice, so that the sum of fits is largest.

    Args:
        fits_SK: how well each face goes with each voice.

    Returns:
        for each face its voice; None for those that are left where there are fewer voices.
    """
    faces, voices = fits_SK.shape
    choices: list[int | None] = [*range(voices), *[None] * max(0, faces - voices)]

    def total(chosen: tuple[int | None, ...]) -> float:
        return sum(float(fits_SK[n, k]) for n, k in enumerate(chosen) if k is not None)

    return list(max(permutations(choices, faces), key=total))


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(), other - other.mean()
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length > 1e-9 else 0.0

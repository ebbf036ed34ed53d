"""Systems that know the true voices: what could be reached, and what is easy.

Legend: S faces, K voices, N samples, T frames, F frequencies.
"""

from itertools import permutations

import numpy as np
import torch

from s2s.tasks.separation.data import Mixture
from s2s.tasks.separation.network.spectrum import Spectrum
from s2s.tasks.separation.objective.losses import si_sdr_db
from s2s.tasks.separation.predictor.matching import assign_voices, fit_of

__all__ = ["best_order", "matched", "oracle_mask"]


def oracle_mask(mixed: Mixture, sample_rate_hz: int) -> np.ndarray:
    """Voices by the ideal ratio mask, (S, N): each frequency's share of all magnitudes."""
    spectrum = Spectrum(sample_rate_hz)
    mixture_TF, voices_STF = (
        spectrum.analyse(torch.from_numpy(sound)) for sound in (mixed.mixture_N, mixed.voices_SN)
    )
    noise_TF = mixture_TF - voices_STF.sum(dim=0)
    total_TF = voices_STF.abs().sum(dim=0) + noise_TF.abs() + 1e-9
    masked_STF = voices_STF.abs() / total_TF * mixture_TF
    return spectrum.synthesise(masked_STF, len(mixed.mixture_N)).numpy()


def best_order(found_KN: np.ndarray, mixed: Mixture) -> np.ndarray:
    """Voices in the order that fits the true ones best, (S, N); silence where there are too few."""
    faces, voices = len(mixed.voices_SN), len(found_KN)
    choices: list[int | None] = [*range(voices), *[None] * max(0, faces - voices)]
    ratios_SK = si_sdr_db(
        torch.from_numpy(found_KN)[None], torch.from_numpy(mixed.voices_SN)[:, None]
    )

    def total(order: tuple[int | None, ...]) -> float:
        # Of a silent face, the quietest voice is the best.
        return sum(
            float(ratios_SK[n, k]) if mixed.is_heard_S[n] else -_level_db(found_KN[k])
            for n, k in enumerate(order)
            if k is not None
        )

    return _ordered(found_KN, max(permutations(choices, faces), key=total))


def matched(mixed: Mixture) -> np.ndarray:
    """The true voices, each given to the face whose lips move along with it, (S, N)."""
    fits_SK = np.array(
        [
            [fit_of(lips_TD, seen_T, voice_N) for voice_N in mixed.voices_SN]
            for lips_TD, seen_T in zip(mixed.lips_STD, mixed.seen_ST, strict=True)
        ]
    )
    return _ordered(mixed.voices_SN, tuple(assign_voices(fits_SK)))


def _ordered(voices_KN: np.ndarray, order: tuple[int | None, ...]) -> np.ndarray:
    silence_N = np.zeros(voices_KN.shape[1], np.float32)
    return np.stack([silence_N if k is None else voices_KN[k] for k in order])


def _level_db(samples_N: np.ndarray) -> float:
    return 10 * float(np.log10(np.mean(samples_N * samples_N) + 1e-12))

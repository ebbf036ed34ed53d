"""What a clip's sound is, from one decode: loudness, clipping, a fingerprint."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2s.media import read_audio
from validation.alike.hashes import hash_sound
from validation.alike.shifted import Moment, find_moments

__all__ = ["SoundFigures", "measure_sound"]

_FULL_SCALE = 0.999
_CONSTANT = 1e-4
_NOTHING_DBFS = -200.0


@dataclass(frozen=True)
class SoundFigures:
    """What was found of a sound.

    Attributes:
        duration_s: its length, decoded.
        loudness_dbfs: the loudest sample.
        mean_dbfs: its power on average.
        clipped_share: share of its samples at full scale.
        is_constant: whether it never moves.
        hash: fingerprint, 64 hexadecimal digits (see `validation.alike.hashes`).
        moments: where it rises most, with hashes of their own (see `validation.alike.shifted`).
    """

    duration_s: float
    loudness_dbfs: float
    mean_dbfs: float
    clipped_share: float
    is_constant: bool
    hash: str
    moments: tuple[Moment, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether every sample is zero, as where the source has no sound."""
        return self.loudness_dbfs <= _NOTHING_DBFS


def measure_sound(path: Path, sample_rate_hz: int) -> SoundFigures:
    """Decode a clip's sound to its end.

    Raises:
        MediaError: `no_audio` without sound, `corrupt` if it cannot be decoded.
    """
    samples = read_audio(path, sample_rate_hz)
    sizes = np.abs(samples)
    return SoundFigures(
        duration_s=round(len(samples) / sample_rate_hz, 6),
        loudness_dbfs=_dbfs(float(sizes.max())),
        mean_dbfs=_dbfs(float(np.sqrt(np.mean(np.square(samples))))),
        clipped_share=round(float(np.mean(sizes >= _FULL_SCALE)), 6),
        is_constant=bool(samples.max() - samples.min() < _CONSTANT),
        hash=hash_sound(samples, sample_rate_hz),
        moments=find_moments(samples, sample_rate_hz),
    )


def _dbfs(amplitude: float) -> float:
    return round(20 * math.log10(max(amplitude, 10 ** (_NOTHING_DBFS / 20))), 2)

"""Lip streams made from voices, to learn from voices without pictures.

What the lips of a talker do is drawn from what is heard: the mouth opens with the envelope and with
the first formant, its corners follow the second. The rest is by chance, as much as in faces that
the mesh was tried on (six talkers of GRID: opening and envelope correlate by 0.37 to 0.64, opening
and jaw by 0.93): a lag, a gain, movements that nothing of is heard, a head that moves, noise of the
mesh, and times in which the face was lost.

Legend: T pictures, N samples, F frequencies, D values.
"""

import hashlib

import numpy as np

from s2s.tasks.separation.extractors.lips import LIP_NAMES, LIPS, running_median

__all__ = ["simulated_lips"]

_WINDOW_S = 0.06
_VOICE_HZ, _LOW_HZ, _F1_HZ = (250, 3000), (200, 450), (550, 1000)
_FRONT_HZ, _BACK_HZ = (1700, 2800), (700, 1300)
_RANGE_DB = 40.0
_LAG_S = (-0.10, 0.06)
"""Lips are before the sound by so much, or behind it."""
_GAIN, _REST = (0.7, 2.2), (0.0, 0.5)
_OWN = (0.3, 1.1)
"""How strong movements are that are not heard, in terms of those that are."""
_JITTER, _HEAD = (0.01, 0.06), (0.0, 0.05)
_LOST, _LOST_S = 0.15, (0.04, 0.5)
_TENSION = 1.15, 0.65, 0.1
"""By how much height, jaw and lower lip follow the opening; measured as above."""
_CHANGES_HZ = 5.0


def simulated_lips(
    voice_N: np.ndarray, sample_rate_hz: int, fps: int, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """A lip stream that goes with a voice.

    Args:
        voice_N: float (N,), one voice.
        sample_rate_hz: its rate.
        fps: pictures a second.
        name: of the clip; the same one gets the same lips.

    Returns:
        lips, float16 (T, D) as of `lip_stream`, and whether the face was seen, bool (T,); T is how
        many whole pictures there are time for, one at least.
    """
    length = max(1, len(voice_N) * fps // sample_rate_hz)
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]))
    envelope_T, first_T, second_T = _heard(voice_N, sample_rate_hz, fps, length)
    lag = rng.uniform(*_LAG_S) * fps
    envelope_T, first_T, second_T = (_late(x, lag) for x in (envelope_T, first_T, second_T))
    own_T = rng.uniform(*_OWN) * _wander(rng, length, fps, _CHANGES_HZ)
    moving_T = envelope_T * np.clip(0.75 + 0.3 * first_T + 0.35 * own_T, 0, None)
    moving_T = moving_T + 0.12 * rng.uniform(0, 1) * np.abs(own_T)  # breath, and what is not said
    gain = rng.uniform(*_GAIN)
    opening_T = _smoothed(gain * moving_T, fps) + rng.uniform(*_REST)
    wide_T = 0.2 * envelope_T * second_T + 0.12 * _wander(rng, length, fps, _CHANGES_HZ)
    height, jaw, lower = (x * rng.uniform(0.85, 1.15) for x in _TENSION)
    shapes = {
        "opening": opening_T,
        "height": height * opening_T,
        "inner_width": _smoothed(wide_T, fps),
        "width": _smoothed(1.05 * wide_T, fps),
        "jaw": jaw * opening_T + 0.08 * _wander(rng, length, fps, 1.0),
        "upper_lip": -0.1 * wide_T,
        "lower_lip": lower * opening_T,
    }
    lips_TD = np.zeros((length, LIPS), np.float32)
    head_T = rng.uniform(*_HEAD) * _wander(rng, length, fps, 0.7)
    jitter = rng.uniform(*_JITTER)
    for name_, shape_T in shapes.items():
        noise_T = _running_median3(jitter * rng.normal(size=length))
        values_T = shape_T * (1 + head_T) + 0.5 * head_T + noise_T
        kept_T = np.clip(values_T, 0, None) if name_ == "opening" else values_T
        lips_TD[:, LIP_NAMES.index(name_)] = kept_T
    seen_T = _bridge(lips_TD, rng, fps)
    n = len(shapes)
    lips_TD[:, 1:n] -= np.median(lips_TD[:, 1:n], axis=0)
    if length > 1:
        lips_TD[:, n:] = np.gradient(lips_TD[:, :n], axis=0) * fps / 10
    return lips_TD.astype(np.float16), seen_T


def _heard(
    voice_N: np.ndarray, sample_rate_hz: int, fps: int, length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At every picture: how loud it is, 0..1, and how high formants are, about -1..1."""
    window = round(_WINDOW_S * sample_rate_hz)
    padded = np.pad(voice_N.astype(np.float32), (window // 2, window))
    starts = np.round(np.arange(length) * sample_rate_hz / fps).astype(int)
    frames = padded[starts[:, None] + np.arange(window)] * np.hanning(window)
    power_TF = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    hz_F = np.fft.rfftfreq(window, 1 / sample_rate_hz)

    def level_db(band: tuple[int, int]) -> np.ndarray:
        inside = (hz_F >= band[0]) & (hz_F < band[1])
        return 10 * np.log10(power_TF[:, inside].sum(axis=1) + 1e-8)

    loud_T = level_db(_VOICE_HZ)
    envelope_T = np.clip(1 + (loud_T - np.percentile(loud_T, 95)) / _RANGE_DB, 0, 1.2)
    first_T = np.clip((level_db(_F1_HZ) - level_db(_LOW_HZ)) / 15, -1.5, 1.5)
    second_T = np.clip((level_db(_FRONT_HZ) - level_db(_BACK_HZ) + 10) / 15, -1.5, 1.5)
    # Nothing has formants where there is nothing.
    silent = loud_T < -60
    return (
        np.where(silent, 0, envelope_T),
        np.where(silent, 0, first_T),
        np.where(silent, 0, second_T),
    )


def _late(values_T: np.ndarray, pictures: float) -> np.ndarray:
    """The same, so many pictures later."""
    at = np.arange(len(values_T), dtype=np.float32)
    return np.interp(at - pictures, at, values_T)


def _wander(rng: np.random.Generator, length: int, fps: int, changes_hz: float) -> np.ndarray:
    """A smooth random course of mean 0 and a deviation of about 1."""
    knots = max(2, round(length / fps * changes_hz) + 2)
    at = np.linspace(0, knots - 1, length)
    smooth = (1 - np.cos(np.pi * (at % 1))) / 2
    values = rng.normal(size=knots + 1)
    before = at.astype(int)
    return (1 - smooth) * values[before] + smooth * values[before + 1]


def _smoothed(values_T: np.ndarray, fps: int) -> np.ndarray:
    """Lips have weight: the mean over about a tenth of a second, twice."""
    width = max(1, round(0.08 * fps)) | 1
    for _ in range(2):
        padded = np.pad(values_T, width // 2, mode="edge")
        values_T = np.convolve(padded, np.full(width, 1 / width), "valid")
    return values_T


def _running_median3(values_T: np.ndarray) -> np.ndarray:
    """What `lip_stream` does to noise."""
    return running_median(values_T, 3)


def _bridge(lips_TD: np.ndarray, rng: np.random.Generator, fps: int) -> np.ndarray:
    """Lose the face now and then, as gaps are bridged, and at an end, where they are not."""
    length = len(lips_TD)
    seen_T = np.ones(length, bool)
    for _ in range(rng.poisson(_LOST * length / fps)):
        span = max(1, round(rng.uniform(*_LOST_S) * fps))
        first = int(rng.integers(0, length))
        stop = min(length, first + span)
        if first and stop < length:
            share = (np.arange(first, stop) - first + 1)[:, None] / (stop - first + 1)
            lips_TD[first:stop] = (1 - share) * lips_TD[first - 1] + share * lips_TD[stop]
        elif stop - first < length // 4:
            seen_T[first:stop], lips_TD[first:stop] = False, 0
    return seen_T

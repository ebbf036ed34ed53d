"""Lip streams made from voices, to learn from voices without pictures.

What the lips of a talker do is drawn from what is heard: the mouth opens with the envelope and with
the first formant, its corners follow the second. The rest is by chance, as much as in faces that
the mesh was tried on: a lag, a gain, movements that nothing of is heard, a head that moves, noise
of the mesh, and times in which the face was lost. In six talkers of GRID the opening correlates
with the envelope by 0.47 to 0.63 at the best lag, with the jaw by 0.87 to 0.98, with the width of
the mouth, by habit, by -0.76 to 0.73, and 40 % of its power is of 2 Hz and faster. Here, of 241
stretches of LibriSpeech: by 0.54 on average (four of five 0.30 to 0.75); by 0.94; by -0.84 to 0.75
(19 of 20); and 38 %.

Legend: T pictures, N samples, F frequencies, D values.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from s2s.tasks.separation.extractors.lips import LIP_NAMES, LIPS

__all__ = ["HeardVoice", "draw_lips", "hear_voice", "simulated_lips"]

_WINDOW_S = 0.06
_VOICE_HZ, _LOW_HZ, _F1_HZ = (250, 3000), (200, 450), (550, 1000)
_FRONT_HZ, _BACK_HZ = (1700, 2800), (700, 1300)
_RANGE_DB = (25.0, 40.0)
_LAG_S = (-0.10, 0.06)
"""Lips are before the sound by so much, or behind it."""
_GAIN, _REST = (0.4, 1.6), (0.0, 0.5)
_OWN, _UNHEARD = (0.4, 1.6), (0.1, 0.7)
"""How strong movements are that are not heard: in terms of those that are, and beside them."""
_FORMANTS = (0.0, 1.0)
"""By how much formants count."""
_JITTER, _HEAD = (0.005, 0.05), (0.0, 0.05)
_LOST, _LOST_S = 0.15, (0.04, 0.5)
_TENSION = 1.15, 0.65, 0.1
"""By how much height, jaw and lower lip follow the opening; measured as above."""
_CHANGES_HZ = (6.0, 10.0)
_SLOW_S = (0.04, 0.12)
"""Lips have weight: they do on average over so much time."""
_HABIT, _UPPER = (-0.45, 0.45), (-0.15, 0.15)
"""How a mouth changes as it opens: it grows wide or narrow, the upper lip rises or falls."""


@dataclass(frozen=True)
class HeardVoice:
    """What of a voice moves lips, at every picture.

    Attributes:
        loudness_T: dB, of what is within 250 and 3000 Hz.
        first_T: how high the first formant is, about -1..1.
        second_T: how high the second is.
    """

    loudness_T: np.ndarray
    first_T: np.ndarray
    second_T: np.ndarray

    def silent(self, first: int, stop: int) -> Self:
        """The same, with nothing to be heard in some pictures."""
        loudness_T = self.loudness_T.copy()
        loudness_T[first:stop] = _NOTHING_DB
        return replace(self, loudness_T=loudness_T)


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
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    return draw_lips(hear_voice(voice_N, sample_rate_hz, fps), fps, np.random.default_rng(seed))


def draw_lips(
    heard: HeardVoice, fps: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Lips that say what was heard, other ones each time.

    Args:
        heard: of a voice.
        fps: pictures a second.
        rng: source of chance.

    Returns:
        as `simulated_lips`.
    """
    length = len(heard.loudness_T)
    lips_TD = np.zeros((length, LIPS), np.float32)
    head_T = rng.uniform(*_HEAD) * _wander(rng, length, fps, 0.7)
    jitter = rng.uniform(*_JITTER)
    n = len(_STILL_NAMES)
    for column, shape_T in enumerate(_shapes(heard, fps, rng)):
        values_T = shape_T * (1 + head_T) + 0.5 * head_T + jitter * rng.normal(size=length)
        lips_TD[:, column] = np.clip(values_T, 0, None) if column == 0 else values_T
    lips_TD[:, :n] = _medians_of_3(lips_TD[:, :n])
    seen_T = _bridge(lips_TD, rng, fps)
    lips_TD[:, 1:n] -= np.median(lips_TD[:, 1:n], axis=0)
    if length > 1:
        lips_TD[:, n:] = np.gradient(lips_TD[:, :n], axis=0) * fps / 10
    lips_TD[~seen_T] = 0
    return lips_TD.astype(np.float16), seen_T


_STILL_NAMES = LIP_NAMES[: LIPS // 2]


def _shapes(heard: HeardVoice, fps: int, rng: np.random.Generator) -> list[np.ndarray]:
    """What lips do without noise, in the order of `LIP_NAMES`, without speeds."""
    length, lag = len(heard.loudness_T), rng.uniform(*_LAG_S) * fps
    loudest_db = np.percentile(heard.loudness_T, 95)
    envelope_T = 1 + (heard.loudness_T - loudest_db) / rng.uniform(*_RANGE_DB)
    # Nothing has formants, or opens a mouth, where there is nothing.
    silent_T = heard.loudness_T < _SILENT_DB
    envelope_T = np.where(silent_T, 0, np.clip(envelope_T, 0, 1.2))
    shaped = rng.uniform(*_FORMANTS)
    first_T, second_T = (
        shaped * np.where(silent_T, 0, of_T) for of_T in (heard.first_T, heard.second_T)
    )
    envelope_T, first_T, second_T = (_late(x, lag) for x in (envelope_T, first_T, second_T))
    changes_hz, slow_s = rng.uniform(*_CHANGES_HZ), rng.uniform(*_SLOW_S)

    says_anything = not silent_T.all()

    def own() -> np.ndarray:
        return says_anything * _wander(rng, length, fps, changes_hz)

    own_T = rng.uniform(*_OWN) * own()
    moving_T = envelope_T * np.clip(0.6 + 0.3 * first_T + 0.5 * own_T, 0, None)
    moving_T = moving_T + rng.uniform(*_UNHEARD) * np.clip(own(), 0, None)
    opening_T = rng.uniform(*_GAIN) * _smoothed(moving_T, slow_s * fps) + rng.uniform(*_REST)
    wide_T = _smoothed(0.2 * envelope_T * second_T + 0.2 * own(), slow_s * fps)
    wide_T = wide_T + rng.uniform(*_HABIT) * opening_T
    height, jaw, lower = (x * rng.uniform(0.85, 1.15) for x in _TENSION)
    shapes = {
        "opening": opening_T,
        "height": height * opening_T,
        "inner_width": wide_T,
        "width": 1.15 * wide_T,
        "jaw": jaw * opening_T + 0.08 * _wander(rng, length, fps, 1.0),
        "upper_lip": rng.uniform(*_UPPER) * opening_T - 0.1 * wide_T,
        "lower_lip": lower * opening_T,
    }
    return [shapes[name] for name in _STILL_NAMES]


_NOTHING_DB, _SILENT_DB = -80.0, -60.0


def hear_voice(voice_N: np.ndarray, sample_rate_hz: int, fps: int) -> HeardVoice:
    """What of a voice moves lips.

    Args:
        voice_N: float (N,), one voice.
        sample_rate_hz: its rate.
        fps: pictures a second.
    """
    length = max(1, len(voice_N) * fps // sample_rate_hz)
    window = round(_WINDOW_S * sample_rate_hz)
    padded = np.pad(voice_N.astype(np.float32), (window // 2, window))
    starts = np.round(np.arange(length) * sample_rate_hz / fps).astype(int)
    frames = padded[starts[:, None] + np.arange(window)] * np.hanning(window)
    power_TF = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    hz_F = np.fft.rfftfreq(window, 1 / sample_rate_hz)

    def level_db(band: tuple[int, int]) -> np.ndarray:
        inside = (hz_F >= band[0]) & (hz_F < band[1])
        return 10 * np.log10(power_TF[:, inside].sum(axis=1) + 10 ** (_NOTHING_DB / 10))

    return HeardVoice(
        level_db(_VOICE_HZ),
        np.clip((level_db(_F1_HZ) - level_db(_LOW_HZ)) / 15, -1.5, 1.5),
        np.clip((level_db(_FRONT_HZ) - level_db(_BACK_HZ) + 10) / 15, -1.5, 1.5),
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


def _smoothed(values_T: np.ndarray, pictures: float) -> np.ndarray:
    """The mean over about so many pictures."""
    width = max(1, round(pictures)) | 1
    padded = np.pad(values_T, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), "valid")


def _medians_of_3(values_TD: np.ndarray) -> np.ndarray:
    """What `lip_stream` does to noise."""
    padded = np.pad(values_TD, ((1, 1), (0, 0)), mode="edge")
    before, here, after = padded[:-2], padded[1:-1], padded[2:]
    return np.maximum(np.minimum(before, here), np.minimum(np.maximum(before, here), after))


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

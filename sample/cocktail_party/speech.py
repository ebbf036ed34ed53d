"""What a talker says: sentences of made-up words, and how sound and lips move along them.

Legend: W words, S segments, T instants.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample.cocktail_party.phones import ENDS, PAUSE, STARTS, VOWELS, Segment

__all__ = ["HELD_OUT_WORDS", "RATE_HZ", "WORDS", "Tracks", "Word", "pronounce", "say"]

RATE_HZ = 200
"""How often targets are given: every 5 ms."""
WORDS, HELD_OUT_WORDS = 400, 120
"""How many there are; the last so many are said by held-out voices only, and by them alone."""

_SYLLABLES = (0.3, 0.45, 0.25)
_PHRASE_WORDS = (2, 6)
_PAUSES_S = (0.12, 0.5)
_SMOOTH_S = {"formants": 0.07, "loudness": 0.03, "noise": 0.02, "lips": 0.1}
"""How long a change takes: what is said beside it is heard and seen in a sound."""
_LIPS_AHEAD_S = 0.03
"""Lips are there a little before the sound."""

Track = NDArray[np.float64]


@dataclass(frozen=True)
class Word:
    """A word, and how it is said.

    Attributes:
        spelling: its phones, with a dot between syllables.
        segments: of all its phones.
        stressed: whether each of these is in the syllable that is stressed.
    """

    spelling: str
    segments: tuple[Segment, ...]
    stressed: tuple[bool, ...]


@dataclass(frozen=True)
class Tracks:
    """How everything moves along a sentence, at `RATE_HZ`.

    Attributes:
        formants_hz: (T, 3).
        voice: (T,) loudness of the voice; as are `breath` and `hiss`.
        breath: of noise through the tract.
        hiss: of noise at the teeth.
        hiss_hz: (T,) where that is; `hiss_width_hz` how wide.
        hiss_width_hz: see there.
        stress: (T,) 0..1.
        phrase: (T,) 0 where a phrase begins to 1 where it ends.
        opening: (T,) of the lips; `spread` and `press` are in `mouth.Lips`.
        spread: see there.
        press: see there.
    """

    formants_hz: NDArray[np.float64]
    voice: Track
    breath: Track
    hiss: Track
    hiss_hz: Track
    hiss_width_hz: Track
    stress: Track
    phrase: Track
    opening: Track
    spread: Track
    press: Track


def pronounce(number: int) -> Word:
    """The word of that number; the same one in every world."""
    rng = np.random.default_rng([20_181, number])
    syllables = 1 + int(rng.choice(len(_SYLLABLES), p=_SYLLABLES))
    stressed = int(rng.integers(syllables))
    spelling, segments, is_stressed = [], [], []
    for place in range(syllables):
        start, vowel = rng.choice(list(STARTS)), rng.choice(list(VOWELS))
        phones = [STARTS[start], VOWELS[vowel]]
        names = [start, vowel]
        if rng.uniform() < 0.35:
            names.append(str(rng.choice(ENDS)))
            phones.append(STARTS[names[-1]])
        spelling.append("".join(names))
        for segment in (segment for phone in phones for segment in phone):
            segments.append(segment)
            is_stressed.append(place == stressed)
    return Word(".".join(spelling), tuple(segments), tuple(is_stressed))


def say(
    rng: np.random.Generator, duration_s: float, tempo: float, words: Sequence[int]
) -> tuple[Tracks, list[tuple[float, str]]]:
    """Say phrases of random words for as long as asked.

    Args:
        rng: which words, how long each segment is.
        duration_s: how long.
        tempo: 1 for ordinary, more is faster.
        words: numbers of those to choose from.

    Returns:
        how everything moves, and when each word begins.
    """
    segments, lengths_s, stress, phrase = [PAUSE], [float(rng.uniform(0.05, 0.3))], [0.0], [0.0]
    begins: list[tuple[float, str]] = []
    while (now_s := sum(lengths_s)) < duration_s:
        chosen = [pronounce(int(n)) for n in rng.choice(words, rng.integers(*_PHRASE_WORDS))]
        first = len(segments)
        for word in chosen:
            begins.append((round(now_s, 3), word.spelling))
            for segment, is_stressed in zip(word.segments, word.stressed, strict=True):
                slow = (1.3 if is_stressed else 0.9) * rng.uniform(0.85, 1.2) / tempo
                segments.append(segment)
                lengths_s.append(segment.seconds * slow)
                stress.append(float(is_stressed))
                now_s += lengths_s[-1]
        phrase.extend(np.linspace(0, 1, len(segments) - first))
        segments.append(PAUSE)
        lengths_s.append(float(rng.uniform(*_PAUSES_S)))
        stress.append(0.0)
        phrase.append(0.0)
    tracks = _tracks(segments, np.array(lengths_s), (stress, phrase), duration_s)
    return tracks, [begin for begin in begins if begin[0] < duration_s]


def _tracks(
    segments: Sequence[Segment],
    lengths_s: NDArray[np.float64],
    marks: tuple[list[float], list[float]],
    duration_s: float,
) -> Tracks:
    """From one target a segment to one every 5 ms, each change as slow as what has to move."""
    times_s = np.arange(round(duration_s * RATE_HZ) + 1) / RATE_HZ
    ends_s = np.cumsum(lengths_s)
    last = len(segments) - 1

    def spread_out(values: object, smooth: str, ahead_s: float = 0.0) -> NDArray[np.float64]:
        index = np.minimum(np.searchsorted(ends_s, times_s + ahead_s, side="right"), last)
        return _smooth(np.asarray(values, float)[index], _SMOOTH_S[smooth])

    def of(name: str, smooth: str, ahead_s: float = 0.0) -> NDArray[np.float64]:
        return spread_out([getattr(segment, name) for segment in segments], smooth, ahead_s)

    return Tracks(
        formants_hz=of("formants_hz", "formants"),
        voice=of("voice", "loudness"),
        breath=of("breath", "noise"),
        hiss=of("hiss", "noise"),
        hiss_hz=of("hiss_hz", "noise"),
        hiss_width_hz=of("hiss_width_hz", "noise"),
        stress=spread_out(marks[0], "lips"),
        phrase=spread_out(marks[1], "loudness"),
        opening=of("opening", "lips", _LIPS_AHEAD_S),
        spread=of("spread", "lips", _LIPS_AHEAD_S),
        press=of("press", "lips", _LIPS_AHEAD_S),
    )


def _smooth(values: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    """Weighted means over a Hann window, of (T,) or (T, K)."""
    half = max(1, round(seconds * RATE_HZ / 2))
    window = np.hanning(2 * half + 3)[1:-1]
    padded = np.pad(values, [(half, half)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    columns = padded.reshape(len(padded), -1).T
    smoothed = [np.convolve(column, window / window.sum(), mode="valid") for column in columns]
    return np.asarray(np.stack(smoothed, axis=-1).reshape(values.shape), np.float64)

"""Talkers: what is seen and heard of them belongs together, and who is held out stays unknown."""

import csv
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from sample.cocktail_party import WORLD
from sample.cocktail_party.film import TalkerFilm
from sample.cocktail_party.mouth import Lips
from sample.cocktail_party.picture import FPS, Painter
from sample.cocktail_party.speech import RATE_HZ, pronounce
from sample.cocktail_party.talkers import make_talker
from sample.cocktail_party.voice import SAMPLE_RATE_HZ

_PER_FRAME = SAMPLE_RATE_HZ // FPS
_LAGS = range(-3, 4)


@pytest.fixture(scope="module")
def films() -> list[TalkerFilm]:
    return [TalkerFilm(make_talker(0, index)) for index in range(12)]


@pytest.fixture(scope="module")
def envelopes(films: list[TalkerFilm]) -> list[NDArray[np.float64]]:
    return [loudness_of(film.samples()) for film in films]


def loudness_of(samples_N: NDArray[np.float32]) -> NDArray[np.float64]:
    """How loud each picture's time is, in nepers."""
    power_TN = samples_N.reshape(-1, _PER_FRAME).astype(np.float64) ** 2
    return 0.5 * np.log(power_TN.mean(axis=1) + 1e-6)


def opening_of(film: TalkerFilm) -> NDArray[np.float64]:
    return np.array([lips.opening for lips in film.lips()])


def likeness(one_T: NDArray[np.float64], other_T: NDArray[np.float64]) -> float:
    """Correlation at the lag that suits both best."""
    inner = slice(3, -3)
    return max(np.corrcoef(np.roll(one_T, lag)[inner], other_T[inner])[0, 1] for lag in _LAGS)


def test_a_picture_for_every_instant_of_the_sound(films: list[TalkerFilm]):
    film = films[0]

    pictures = list(film.frames())

    assert len(pictures) == len(film.lips()) == round(film.duration_s * FPS)
    assert len(film.samples()) == round(film.duration_s * SAMPLE_RATE_HZ)
    assert len(film.said[0].voice) == round(film.duration_s * RATE_HZ) + 1


def test_lips_tell_who_is_heard(films: list[TalkerFilm], envelopes: list[NDArray[np.float64]]):
    openings = [opening_of(film) for film in films]
    fit = np.array([[likeness(opening, heard) for heard in envelopes] for opening in openings])

    right = [fit[a, a] + fit[b, b] > fit[a, b] + fit[b, a] for a, b in combinations(range(12), 2)]

    assert np.mean(right) > 0.95


def test_lips_are_shut_for_p_b_and_m_and_wide_open_for_a():
    said = [pronounce(number) for number in range(60)]
    for segment in (segment for word in said for segment in word.segments):
        if segment.press == 1:
            assert segment.opening == 0
        if segment.formants_hz == (730, 1090, 2440):
            assert segment.opening == 1
    assert len({word.spelling for word in said}) > 55


@pytest.mark.parametrize("index", [0, 4, 6])
def test_a_voice_has_its_pitch(films: list[TalkerFilm], index: int):
    film = films[index]
    samples_N = film.samples().astype(np.float64)
    wanted_hz = film.talker.voice.pitch_hz
    found_hz = []
    for start in range(0, len(samples_N) - 1024, 1024):
        piece_N = samples_N[start : start + 1024]
        if np.sqrt(np.mean(piece_N**2)) < 0.05:
            continue
        likeness_N = np.fft.irfft(np.abs(np.fft.rfft(piece_N, 2048)) ** 2)[:400]
        found_hz.append(SAMPLE_RATE_HZ / (40 + int(likeness_N[40:].argmax())))

    assert len(found_hz) > 20
    assert np.median(found_hz) == pytest.approx(wanted_hz, rel=0.2)


def test_the_mouth_opens_in_the_picture():
    talker = make_talker(0, 2)
    painter = Painter(talker.rng(3))
    pose = TalkerFilm(talker).poses()[0]

    shut, still, wide = (
        painter.picture(0, pose, Lips(opening, 0.0)).astype(int) for opening in (0, 0, 1)
    )

    assert np.array_equal(shut, still)
    changed_rows = np.abs(wide - shut).sum(axis=(1, 2)) > 500
    assert changed_rows.any()
    assert changed_rows.argmax() > 0.4 * len(changed_rows)  # the lower half of the picture


def test_nobody_who_is_held_out_is_trained_on():
    rows = list(csv.DictReader(WORLD.catalog_text(films_of(25)).splitlines()))
    by_split = {
        split: {row["labels"] for row in rows if row["split"] == split}
        for split in ("train", "test")
    }
    words = {talker.is_held_out: set(talker.words) for talker in map(talker_of, films_of(25))}

    assert len(rows) == 75
    assert len(by_split["test"]) == 5
    assert not by_split["test"] & by_split["train"]
    assert not words[True] & words[False]


def test_voices_differ():
    voices = [make_talker(0, index).voice for index in range(40)]
    pitches_hz = sorted(voice.pitch_hz for voice in voices)
    tracts = [voice.tract for voice in voices]

    assert pitches_hz[0] < 100
    assert pitches_hz[-1] > 220
    assert max(tracts) / min(tracts) > 1.2
    assert len(set(voices)) == 40


def films_of(count: int) -> list[TalkerFilm]:
    return [TalkerFilm(make_talker(0, index)) for index in range(count)]


def talker_of(film: TalkerFilm):
    return film.talker

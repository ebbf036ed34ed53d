"""Stills in motion: grain, fades, Ken Burns, equalisers; and what moves of its own is none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from validation.alike.hashes import average_tiles
from validation.checks.stillness import is_still

N, SIDE_PX, TILES = 24, 288, 72


def picture(seed: int) -> NDArray[np.float32]:
    """Soft spots of light and dark, three times as large as what is shown of it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: 2 * SIDE_PX, : 2 * SIDE_PX].astype(np.float32)
    found = np.full(y.shape, 110, np.float32)
    for _ in range(60):
        at, size = rng.uniform(0, 2 * SIDE_PX, 2), rng.uniform(15, 70)
        found += rng.uniform(-70, 70) * np.exp(-((y - at[0]) ** 2 + (x - at[1]) ** 2) / size**2)
    return found.clip(20, 230)


def view(still: NDArray, shift: tuple[float, float] = (0, 0), zoom: float = 1) -> NDArray:
    """What a camera over it sees."""
    at = (np.arange(SIDE_PX) - SIDE_PX / 2) / zoom
    rows, columns = ((at + SIDE_PX + part).astype(int) for part in shift)
    return still[np.ix_(rows, columns)]


def tiles(frames: list[NDArray]) -> NDArray[np.float32]:
    return np.stack(
        [average_tiles(frame.clip(0, 255).astype(np.uint8), (TILES, TILES)) for frame in frames]
    )


def grain(still: NDArray, rng: np.random.Generator, t: int) -> NDArray:
    return view(still) + rng.normal(0, 12, (SIDE_PX, SIDE_PX))


def fade(still: NDArray, rng: np.random.Generator, t: int) -> NDArray:
    return view(still) * min(1, t / 10) + 16


def pan(still: NDArray, rng: np.random.Generator, t: int) -> NDArray:
    return view(still, (t * 1.5, t * 3.0))


def zoom(still: NDArray, rng: np.random.Generator, t: int) -> NDArray:
    return view(still, zoom=1 + t / 120)


def equaliser(still: NDArray, rng: np.random.Generator, t: int) -> NDArray:
    frame = view(still).copy()
    for column, height in enumerate(rng.integers(8, 90, 16)):
        frame[SIDE_PX - height :, column * 18 : column * 18 + 15] = 240
    return frame


def wave_form(still: NDArray, rng: np.random.Generator, t: int) -> NDArray:
    frame = view(still).copy()
    loud = rng.uniform(2, 24)
    for column, at in enumerate((rng.uniform(-loud, loud, SIDE_PX)).astype(int)):
        frame[200 + min(0, at) : 202 + max(0, at), column] = 240
    return frame


def walker(still: NDArray, rng: np.random.Generator, t: int) -> NDArray:
    frame = view(still).copy()
    frame[120:200, 20 + 8 * t : 60 + 8 * t] = 40
    return frame


def train(still: NDArray, rng: np.random.Generator, t: int) -> NDArray:
    frame = view(still).copy()
    wagons = np.random.default_rng(7).uniform(30, 220, (16, 400)).repeat(5, axis=0)
    frame[120:200] = wagons[:, 4 * t : 4 * t + SIDE_PX]
    return frame


def talker(still: NDArray, rng: np.random.Generator, t: int) -> NDArray:
    frame = view(still).copy()
    opening = int(rng.integers(2, 22))
    frame[190 - opening : 190 + opening, 120:170] = 30
    return frame


def hand_held(still: NDArray, rng: np.random.Generator, t: int) -> NDArray:
    return view(still, (float(rng.normal(0, 6)), float(rng.normal(0, 6))))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", [grain, fade, pan, zoom, equaliser, wave_form])
def test_stills(kind, seed: int):
    still, rng = picture(seed), np.random.default_rng(seed)
    assert is_still(tiles([kind(still, rng, t) for t in range(N)]))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", [walker, train, talker, hand_held])
def test_what_moves_of_its_own(kind, seed: int):
    still, rng = picture(seed), np.random.default_rng(seed)
    assert not is_still(tiles([kind(still, rng, t) for t in range(N)]))


def test_few_frames():
    still = picture(0)
    assert is_still(tiles([view(still)]))
    assert not is_still(tiles([view(still), view(still, (0, 40))]))

"""Hashes of pictures and sounds that survive another encoding, size and volume.

Picture: the difference hash (Krawetz 2013) of the average frame of each quarter of the clip,
without black bars; and the same mirrored, and of its middle, which a cropped copy shows.
Sound: signs of energy differences along time and frequency (Haitsma and Kalker 2002, eq. 1), of 17
bands in 17 slots of time; of a steady sound, where nothing but the codec makes differences, the
centre of its spectrum. Both have 256 bits; hashes of unrelated clips differ in about half of them.
"""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BANDS",
    "FINE_HW",
    "TILES_HW",
    "VIEWS",
    "average_tiles",
    "band_energy",
    "hash_levels",
    "hash_picture",
    "hash_sound",
    "hash_tiles",
    "resize_tiles",
    "trim_bars",
]

TILES_HW, FINE_HW = (8, 9), (72, 72)
VIEWS = 3
"""Hashes of a picture: as it is, mirrored, its middle."""

# Between crops of a tenth and of a fifth.
_MIDDLE = 0.85
_BLACK = 28.0
_QUARTERS = 4
_SLOTS, BANDS = 17, 17
_WINDOW = 1024
_LOW_HZ, _HIGH_HZ = 100.0, 7000.0
# Differences that another encoding makes of nothing; they count as none.
_LEAST_BRIGHTER = 1.5
_FLOOR = 1e-4
# Of steady tones as codecs leave them up to 35 levels change by more, of real clips 58 and more.
_STEADY_CHANGE, _STEADY_FLOOR, _STEADY_BITS = 0.1, 1e-4, 40
# Encodings of one tone move the centre by two thousandths; tones that are told apart lie a
# twenty-fourth of an octave apart.
_STEPS_IN_OCTAVE = 24
_SILENT = 1e-3


def average_tiles(image_HW: NDArray[np.uint8], tiles_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Average brightness of the tiles of a grid laid over an image; float32 of shape `tiles_hw`."""
    height, width = image_HW.shape
    rows = np.arange(tiles_hw[0]) * height // tiles_hw[0]
    columns = np.arange(tiles_hw[1]) * width // tiles_hw[1]
    sums = np.add.reduceat(image_HW, rows, axis=0, dtype=np.uint32)
    sums = np.add.reduceat(sums, columns, axis=1, dtype=np.uint32)
    sizes = np.outer(np.diff(rows, append=height), np.diff(columns, append=width))
    return (sums / np.maximum(sizes, 1)).astype(np.float32)


def hash_picture(tiles_TYX: NDArray[np.float32]) -> str:
    """Hash the views of a picture, one after another; `VIEWS` times 64 hexadecimal digits.

    Args:
        tiles_TYX: tiles of frames at equal steps of time, of `FINE_HW`, bars trimmed.
    """
    edges = np.arange(_QUARTERS + 1) * len(tiles_TYX) // _QUARTERS
    quarters = np.stack(
        [tiles_TYX[first : max(end, first + 1)].mean(axis=0) for first, end in pairwise(edges)]
    )
    whole = resize_tiles(quarters, TILES_HW)
    height, width = (side * _MIDDLE / 2 for side in quarters.shape[1:])
    y, x = (side / 2 for side in quarters.shape[1:])
    middle = resize_tiles(quarters, TILES_HW, (y - height, y + height, x - width, x + width))
    return "".join(hash_tiles(list(view)) for view in (whole, whole[:, :, ::-1], middle))


def trim_bars(tiles_TYX: NDArray[np.float32]) -> tuple[slice, slice]:
    """Rows and columns of tiles between black bars, which copies have on both sides alike."""
    brightest = tiles_TYX.max(axis=0)
    return _between(brightest.max(axis=1)), _between(brightest.max(axis=0))


def _between(brightest_N: NDArray[np.float32]) -> slice:
    bright = np.flatnonzero(brightest_N > _BLACK)
    if not len(bright):
        return slice(None)
    bar = min(int(bright[0]), len(brightest_N) - 1 - int(bright[-1]))
    return slice(bar, len(brightest_N) - bar)


def resize_tiles(
    tiles_TYX: NDArray[np.float32],
    tiles_hw: tuple[int, int],
    box: tuple[float, float, float, float] | None = None,
) -> NDArray[np.float32]:
    """Average tiles over the larger tiles of another grid.

    Args:
        tiles_TYX: the tiles.
        tiles_hw: rows and columns of the grid.
        box: where it lies: first and last row, first and last column; over all of them if None.
    """
    height, width = tiles_TYX.shape[1:]
    top, bottom, left, right = box or (0, height, 0, width)
    rows = _shares(height, np.linspace(top, bottom, tiles_hw[0] + 1))
    columns = _shares(width, np.linspace(left, right, tiles_hw[1] + 1))
    return (rows @ tiles_TYX @ columns.T).astype(np.float32)


def _shares(size: int, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each of `size` tiles adds to the average between two edges, (edges - 1, size)."""
    at = np.arange(size)
    inside = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    return inside.clip(0) / np.diff(edges)[:, None]


def hash_tiles(tiles: Sequence[NDArray[np.float32]]) -> str:
    """Hash the tiles of four pictures; 64 hexadecimal digits."""
    bits = [np.diff(tile_HW, axis=1) > _LEAST_BRIGHTER for tile_HW in tiles]
    return np.packbits(np.concatenate(bits)).tobytes().hex()


def hash_sound(samples_N: NDArray[np.float32], sample_rate_hz: int) -> str:
    """Hash a sound; 64 hexadecimal digits."""
    length = max(len(samples_N) // _WINDOW, _SLOTS) * _WINDOW
    frames = np.zeros(length, np.float32)
    kept = samples_N[:length]
    # Louder or softer is the same sound.
    frames[: len(kept)] = kept / max(float(np.abs(kept).max(initial=0)), 1e-9)
    energy = band_energy(frames.reshape(-1, _WINDOW), sample_rate_hz)
    slots = np.add.reduceat(energy, np.arange(_SLOTS) * len(energy) // _SLOTS, axis=0)
    if np.abs(kept).max(initial=0) > _SILENT and _is_steady(slots):
        return _hash_centre(frames.reshape(-1, _WINDOW))
    return hash_levels(np.log(slots + _FLOOR))


def _is_steady(slots_SB: NDArray[np.float32]) -> bool:
    """Whether levels hardly change with time: what does then is of the codec."""
    levels = np.log(slots_SB + _STEADY_FLOOR * float(slots_SB.max()))
    changes = np.diff(np.diff(levels, axis=1), axis=0)
    return int((changes > _STEADY_CHANGE).sum()) < _STEADY_BITS


def _hash_centre(frames_TN: NDArray[np.float32]) -> str:
    """Hash where the spectrum's centre lies: the same, or all others."""
    window = np.hanning(frames_TN.shape[1]).astype(np.float32)
    power = (np.abs(np.fft.rfft(frames_TN * window, axis=1)) ** 2).sum(axis=0)
    centre = float((power * np.arange(len(power))).sum() / max(float(power.sum()), 1e-9))
    step = round(_STEPS_IN_OCTAVE * float(np.log2(centre + 1)))
    return hashlib.sha256(step.to_bytes(2, "big")).hexdigest()


def band_energy(frames_TN: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float32]:
    """Energy of stretches of sound in each of `BANDS`, (T, BANDS)."""
    window = frames_TN.shape[1]
    power = np.abs(np.fft.rfft(frames_TN * np.hanning(window).astype(np.float32), axis=1)) ** 2
    edges_hz = np.geomspace(_LOW_HZ, min(_HIGH_HZ, sample_rate_hz / 2), BANDS + 1)
    bins = np.searchsorted(np.fft.rfftfreq(window, 1 / sample_rate_hz), edges_hz)
    bands = [power[:, low : max(high, low + 1)].sum(axis=1) for low, high in pairwise(bins)]
    return np.stack(bands, axis=1).astype(np.float32)


def hash_levels(levels_SB: NDArray[np.float32]) -> str:
    """Hash the levels of 17 bands in 17 slots of time; 64 hexadecimal digits."""
    differences = np.diff(np.diff(levels_SB, axis=1), axis=0)
    return np.packbits(differences > 0).tobytes().hex()

"""Hashes of pictures and sounds that survive another encoding, size and volume.

Picture: the difference hash (Krawetz 2013) of the average frame of each quarter of the clip.
Sound: signs of energy differences along time and frequency (Haitsma and Kalker 2002, eq. 1), of 17
bands in 17 slots of time. Both have 256 bits; hashes of unrelated clips differ in about half of
them.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BANDS",
    "BITS",
    "TILES_HW",
    "average_tiles",
    "band_energy",
    "hash_levels",
    "hash_picture",
    "hash_sound",
    "hash_tiles",
]

BITS = 256
TILES_HW = (8, 9)
_QUARTERS = 4
_SLOTS, BANDS = 17, 17
_WINDOW = 1024
_LOW_HZ, _HIGH_HZ = 100.0, 7000.0
# Differences that another encoding makes of nothing; they count as none.
_LEAST_BRIGHTER = 1.5
_FLOOR = 1e-4


def average_tiles(image_HW: NDArray[np.uint8], tiles_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Average brightness of the tiles of a grid laid over an image; float32 of shape `tiles_hw`."""
    height, width = image_HW.shape
    rows = np.arange(tiles_hw[0]) * height // tiles_hw[0]
    columns = np.arange(tiles_hw[1]) * width // tiles_hw[1]
    sums = np.add.reduceat(image_HW, rows, axis=0, dtype=np.uint32)
    sums = np.add.reduceat(sums, columns, axis=1, dtype=np.uint32)
    sizes = np.outer(np.diff(rows, append=height), np.diff(columns, append=width))
    return (sums / np.maximum(sizes, 1)).astype(np.float32)


def hash_picture(tiles_THW: NDArray[np.float32]) -> str:
    """Hash the tiles of frames at equal steps of time; 64 hexadecimal digits."""
    edges = np.arange(_QUARTERS + 1) * len(tiles_THW) // _QUARTERS
    return hash_tiles(
        [tiles_THW[first : max(end, first + 1)].mean(axis=0) for first, end in pairwise(edges)]
    )


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
    slots = np.arange(_SLOTS) * len(energy) // _SLOTS
    return hash_levels(np.log(np.add.reduceat(energy, slots, axis=0) + _FLOOR))


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

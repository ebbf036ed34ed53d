"""Scenes of the contest as films.

Legend: H height and W width in pixels, C red-green-blue, N samples.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sample.vggsound_contest.scenes import CLIP_S, ContestScene, rng_of

__all__ = ["FPS", "SAMPLE_RATE_HZ", "SIZE_PX", "ContestFilm"]

FPS = 10
SIZE_PX = 80
SAMPLE_RATE_HZ = 16_000
_GRAIN = 4.0
_EDGE_PX = 1.5
_NOISE = 0.01


class ContestFilm:
    """A film of a scene; see `sample.film.Film`."""

    fps = FPS
    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self, scene: ContestScene) -> None:
        self.scene = scene
        self.source_id = scene.source_id
        self.duration_s = scene.duration_s

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Its pictures: in each clip another thing swings over the same coloured background."""
        rng = rng_of(self.scene, 0)
        ground = rng.uniform(40, 215, 3)
        slope = rng.normal(0, 30, (2, 3))
        at = np.linspace(-0.5, 0.5, SIZE_PX)
        ground_HWC = ground + at[:, None, None] * slope[0] + at[None, :, None] * slope[1]
        colour = (ground + rng.choice([-1, 1]) * rng.uniform(70, 120, 3)) % 256
        for clip, kind in enumerate(self.scene.kinds):
            swing = _Swing(rng_of(self.scene, 0, clip + 1))
            for number in range(CLIP_S * FPS):
                cover_HW1 = swing.cover(kind.shape, number / FPS)[..., None]
                image_HWC = ground_HWC + cover_HW1 * (colour - ground_HWC)
                image_HWC = image_HWC + rng.normal(0, _GRAIN, image_HWC.shape)
                yield np.clip(image_HWC, 0, 255).astype(np.uint8)

    def samples(self) -> NDArray[np.float32]:
        """Its sound."""
        times_s = np.arange(CLIP_S * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
        heard = []
        for clip, kind in enumerate(self.scene.kinds):
            rng = rng_of(self.scene, 1, clip + 1)
            sound = _SOUNDS[kind.sound](times_s, rng)
            heard.append(sound * rng.uniform(0.1, 0.5) + rng.normal(0, _NOISE, len(sound)))
        return np.clip(np.concatenate(heard), -1, 1).astype(np.float32)

    def truth(self) -> dict[str, Any]:
        """What is seen and heard in each clip."""
        return {
            "clips": [
                {"label": kind.label, "sound": kind.sound, "shape": kind.shape}
                for kind in self.scene.kinds
            ]
        }


class _Swing:
    """How large the thing of one clip is, and how it swings."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._half, self._angle = rng.uniform(0.17, 0.26) * SIZE_PX, rng.uniform(0, np.pi)
        self._start = rng.uniform(0.45, 0.55, 2) * SIZE_PX
        self._way = rng.choice([-1, 1], 2) * rng.uniform(0.1, 0.2, 2) * SIZE_PX

    def cover(self, shape: str, time_s: float) -> NDArray:
        """How much of each pixel the thing covers at an instant, 0..1: (H, W)."""
        return _cover(
            shape, self._start + self._way * np.sin(1.5 * time_s), self._half, self._angle
        )


def _cover(shape: str, centre: NDArray[np.float64], half: float, angle: float) -> NDArray:
    """How much of each pixel the thing covers, 0..1: (H, W)."""
    at = np.arange(SIZE_PX) + 0.5
    v_H1, u_1W = at[:, None] - centre[0], at[None] - centre[1]
    x, y = np.cos(angle) * u_1W + np.sin(angle) * v_H1, np.cos(angle) * v_H1 - np.sin(angle) * u_1W
    radius, box = np.hypot(x, y), np.maximum(np.abs(x), np.abs(y))
    thin = 0.3 * half
    outside = {
        "box": box - 0.85 * half,
        "disc": radius - half,
        "ring": np.abs(radius - 0.8 * half) - 0.8 * thin,
        "cross": np.maximum(box - half, np.minimum(np.abs(x), np.abs(y)) - thin),
        "stripes": np.maximum(box - half, np.abs((x / half * 2.5) % 1.0 - 0.5) * half - 0.6 * thin),
    }[shape]
    return np.clip(0.5 - outside / _EDGE_PX, 0, 1)


def _glide(
    times_s: NDArray[np.float64], rng: np.random.Generator, *, is_rising: bool
) -> NDArray[np.float64]:
    """A tone that glides over an octave and a half, again and again."""
    round_s = rng.uniform(0.7, 1.1)
    part = (times_s / round_s + rng.uniform()) % 1.0
    octaves = 1.5 * (part if is_rising else 1 - part)
    pitch_hz = rng.uniform(300, 500) * 2**octaves
    return np.sin(2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ)


def _ticks(times_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Short clicks at an even pace."""
    since_s = (times_s + rng.uniform()) % rng.uniform(0.18, 0.3)
    return np.exp(-since_s / 0.006) * np.sin(2 * np.pi * rng.uniform(1500, 2500) * since_s)


def _hiss(times_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise."""
    return 0.3 * rng.normal(0, 1, len(times_s))


def _hum(times_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A low tone with overtones."""
    pitch_hz = rng.uniform(90, 130)
    numbers_K1 = np.arange(1, 4)[:, None]
    return (np.sin(2 * np.pi * numbers_K1 * pitch_hz * times_s) / numbers_K1).sum(axis=0)


_SOUNDS = {
    "rising": lambda times_s, rng: _glide(times_s, rng, is_rising=True),
    "falling": lambda times_s, rng: _glide(times_s, rng, is_rising=False),
    "ticks": _ticks,
    "hiss": _hiss,
    "hum": _hum,
}

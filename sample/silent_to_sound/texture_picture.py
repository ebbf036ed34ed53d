"""How rain, fire, wind and a crowd look; how strong they are can be seen.

Shape suffixes: H height and W width in pixels, C red-green-blue.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sample.canvas import FPS, SIZE_PX, Image, smooth_noise
from sample.silent_to_sound.textures import TextureScene

__all__ = ["texture_painter"]

_STREAKS, _STREAK_PX = 90, 11
_PEOPLE, _PERSON_PX = 48, (12, 8)
_BLADE_ROWS = 84


class Painter(Protocol):
    """Draws a scene at any time.

    Attributes:
        background: what does not move, float32 (H, W, C).
    """

    background: NDArray[np.float32]

    def draw(self, image_HWC: Image, time_s: float) -> None:
        """Draw what moves over the background."""
        ...


def texture_painter(scene: TextureScene, rng: np.random.Generator) -> Painter:
    """What draws a scene."""
    return _PAINTERS[scene.texture.name](scene, rng)


class _Rain:
    """Streaks before a dark wall."""

    def __init__(self, scene: TextureScene, rng: np.random.Generator) -> None:
        self._scene = scene
        self._seed = int(rng.integers(2**31))
        self.background = _plain(rng, (52.0, 66.0, 92.0), 0.06)

    def draw(self, image_HWC: Image, time_s: float) -> None:
        """See `Painter`."""
        rng = np.random.default_rng([self._seed, round(time_s * FPS)])
        count = int(_STREAKS * self._scene.strength(time_s))
        columns = rng.integers(SIZE_PX, size=count)[:, None]
        rows = rng.integers(-_STREAK_PX, SIZE_PX, size=count)[:, None] + np.arange(_STREAK_PX)
        inside = (rows >= 0) & (rows < SIZE_PX)
        columns = np.broadcast_to(columns, rows.shape)[inside]
        image_HWC[rows[inside], columns] += (46.0, 58.0, 80.0)


class _Fire:
    """Flames over dark wood, as high as the fire is strong."""

    def __init__(self, scene: TextureScene, rng: np.random.Generator) -> None:
        self._scene = scene
        self.background = _plain(rng, (38.0, 28.0, 26.0), 0.1)
        self._phases = rng.uniform(0, 2 * np.pi, (5, 1))
        self._rates_hz = rng.uniform(1.5, 6.0, (5, 1))
        self._waves = rng.uniform(0.05, 0.25, (5, 1))

    def draw(self, image_HWC: Image, time_s: float) -> None:
        """See `Painter`."""
        x_W = np.arange(SIZE_PX)
        turns = self._phases + 2 * np.pi * self._rates_hz * time_s + self._waves * x_W
        flicker_W = 1 + 0.22 * np.sin(turns).sum(axis=0) / np.sqrt(5)
        shape_W = np.exp(-(((x_W - SIZE_PX / 2) / 34) ** 2))
        top_W = (16 + 84 * float(self._scene.strength(time_s))) * shape_W * flicker_W
        heat_HW = 1 - (SIZE_PX - np.arange(SIZE_PX)[:, None]) / np.maximum(top_W, 1.0)
        cover_HW = np.clip(4 * heat_HW, 0, 1)[..., None]
        colour_HWC = np.stack(
            [
                np.full_like(heat_HW, 250.0),
                90 + 150 * heat_HW.clip(0, 1),
                20 + 60 * heat_HW.clip(0),
            ],
            axis=-1,
        )
        image_HWC += cover_HW * (colour_HWC - image_HWC)


class _Wind:
    """High grass that bends."""

    def __init__(self, scene: TextureScene, rng: np.random.Generator) -> None:
        self._scene = scene
        self.background = _plain(rng, (150.0, 186.0, 214.0), 0.03)
        blades_W = np.sin(np.arange(SIZE_PX) * rng.uniform(0.8, 1.1)) + rng.normal(0, 0.5, SIZE_PX)
        shade_HW = 1 + 0.28 * blades_W + 0.05 * smooth_noise(rng, 12)
        self._grass = (shade_HW[..., None] * (58.0, 138.0, 44.0)).astype(np.float32)
        self._phase, self._rate_hz = rng.uniform(0, 6), rng.uniform(0.7, 1.2)

    def draw(self, image_HWC: Image, time_s: float) -> None:
        """See `Painter`."""
        strength = float(self._scene.strength(time_s))
        height = np.linspace(1, 0, _BLADE_ROWS)[:, None]
        swing = np.sin(2 * np.pi * self._rate_hz * time_s + self._phase + 3 * height)
        quiver = np.sin(2 * np.pi * 5.3 * time_s + 9 * height)
        lean_px = height * (14 * strength * swing + 5 * strength**2 * quiver)
        columns = (np.arange(SIZE_PX) + lean_px).astype(int) % SIZE_PX
        rows = np.arange(SIZE_PX - _BLADE_ROWS, SIZE_PX)[:, None]
        image_HWC[SIZE_PX - _BLADE_ROWS :] = self._grass[rows, columns]


class _Crowd:
    """Many people in bright clothes who jump."""

    def __init__(self, scene: TextureScene, rng: np.random.Generator) -> None:
        self._scene = scene
        self.background = _plain(rng, (112.0, 104.0, 110.0), 0.03)
        self._colours = rng.uniform(30, 235, (_PEOPLE, 3)).astype(np.float32)
        self._left = rng.integers(0, SIZE_PX - _PERSON_PX[1], _PEOPLE)
        self._base = np.sort(rng.integers(40, SIZE_PX, _PEOPLE))  # those in front come last
        self._rate_hz = rng.uniform(1.2, 2.6, _PEOPLE)
        self._phase = rng.uniform(0, np.pi, _PEOPLE)

    def draw(self, image_HWC: Image, time_s: float) -> None:
        """See `Painter`."""
        strength = float(self._scene.strength(time_s))
        jump_px = 15 * strength * np.abs(np.sin(np.pi * self._rate_hz * time_s + self._phase))
        high, wide = _PERSON_PX
        tops = (self._base - high - jump_px).astype(int)
        for top, left, colour in zip(tops, self._left, self._colours, strict=True):
            image_HWC[top + 4 : top + high, left : left + wide] = colour
            image_HWC[top : top + 4, left + 2 : left + wide - 2] = (205.0, 160.0, 130.0)


_PAINTERS = {"rain": _Rain, "fire": _Fire, "wind": _Wind, "crowd": _Crowd}


def _plain(
    rng: np.random.Generator, colour: tuple[float, float, float], rough: float
) -> NDArray[np.float32]:
    light_HW = rng.uniform(0.92, 1.08) * (1 + rough * smooth_noise(rng, 9))
    return (light_HW[..., None] * colour).astype(np.float32)

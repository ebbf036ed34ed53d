"""Actions as films: a thing that moves over a cluttered background that moves a little too.

Legend: H height and W width in pixels, C red-green-blue.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sample.kinetics_actions.actions import Act, ActionScene

__all__ = ["FPS", "SIZE_PX", "ActionFilm"]

FPS = 12
SIZE_PX = 80
_EDGE_PX = 1.2
_CLUTTER = 5
_SHAKE_PX = 1.5
_GRAIN = 3.0
_SIZES = (0.16, 0.24)
"""Half the thing's length, as a share of the picture."""

Plane = NDArray[np.float32]


class ActionFilm:
    """A film of a scene, without a sound track as many of Kinetics; see `sample.film.Film`."""

    fps = FPS
    sample_rate_hz = 16_000

    def __init__(self, scene: ActionScene) -> None:
        self.scene = scene
        self.source_id = scene.source_id
        self.duration_s = scene.duration_s

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Its pictures."""
        painter = _Painter(self.scene)
        for number in range(round(self.duration_s * FPS)):
            yield painter.picture(number / FPS)

    def samples(self) -> None:
        """It has no sound track."""

    def truth(self) -> dict[str, Any]:
        """What is done in each clip, and how fast."""
        return {"acts": [{"action": a.action, "round_s": a.round_s} for a in self.scene.acts]}


class _Painter:
    """Draws a scene: all that does not change is drawn from its seed once."""

    def __init__(self, scene: ActionScene) -> None:
        self._scene = scene
        self._rng = np.random.default_rng([*scene.seed, 1])
        rng = self._rng
        self._background_HWC = _background(rng)
        self._things = [_Thing(rng) for _ in scene.acts]
        self._clutter = [_Clutter(rng) for _ in range(_CLUTTER)]
        self._shake = rng.uniform(0, 2 * np.pi, 4)

    def picture(self, time_s: float) -> NDArray[np.uint8]:
        """The picture at an instant, uint8 (H, W, C)."""
        image_HWC = np.roll(self._background_HWC, self._shift(time_s), axis=(0, 1)).copy()
        for thing in self._clutter:
            thing.draw(image_HWC, time_s)
        number, since_s = self._scene.clip_at(time_s)
        self._things[number].draw(image_HWC, self._scene.acts[number], since_s)
        grain = self._rng.normal(0, _GRAIN, image_HWC.shape)
        return np.clip(image_HWC + grain, 0, 255).astype(np.uint8)

    def _shift(self, time_s: float) -> tuple[int, int]:
        first, second = np.sin(self._shake[:2] + time_s * (1.7 + self._shake[2:] / 6))
        return round(_SHAKE_PX * first), round(_SHAKE_PX * second)


class _Thing:
    """What acts in one clip."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._colours = rng.uniform(40, 255, (2, 3)).astype(np.float32)
        self._half = float(rng.uniform(*_SIZES)) * SIZE_PX
        self._centre = rng.uniform(0.36, 0.64, 2) * SIZE_PX
        self._aspect = float(rng.uniform(0.3, 0.5))

    def draw(self, image_HWC: Plane, act: Act, time_s: float) -> None:
        """Draw it some time after its act begins."""
        (y, x), half, angle = self._centre, self._half, 0.0
        progress = act.progress(time_s)
        if act.pair == 0:
            angle = 2 * np.pi * progress
        elif act.pair == 1:
            y = SIZE_PX * (1.2 - 1.4 * progress)
        elif act.pair == 2:
            half *= 0.45 + 1.1 * progress
        else:
            angle = 0.9 * np.sin(2 * np.pi * progress)
        _paint(image_HWC, (y, x), (half, half * self._aspect), angle, self._colours)


class _Clutter:
    """A thing that is in the picture and does nothing that is asked about: it drifts."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._start = rng.uniform(0, SIZE_PX, 2)
        self._speed = rng.normal(0, 4, 2)
        self._half = rng.uniform(0.03, 0.09, 2) * SIZE_PX
        self._angle = float(rng.uniform(0, np.pi))
        self._colours = np.repeat(rng.uniform(0, 230, (1, 3)), 2, axis=0).astype(np.float32)

    def draw(self, image_HWC: Plane, time_s: float) -> None:
        """Draw it where it is at an instant."""
        y, x = (self._start + self._speed * time_s) % SIZE_PX
        _paint(image_HWC, (y, x), tuple(self._half), self._angle, self._colours)


def _paint(
    image_HWC: Plane,
    centre: tuple[float, float],
    half: tuple[float, float],
    angle: float,
    colours: NDArray[np.float32],
) -> None:
    """A bar whose one end has another colour than the other, so that its turning can be seen."""
    at = np.arange(SIZE_PX, dtype=np.float32) + 0.5
    v_H1, u_1W = at[:, None] - centre[0], at[None] - centre[1]
    along = np.cos(angle) * u_1W + np.sin(angle) * v_H1
    across = -np.sin(angle) * u_1W + np.cos(angle) * v_H1
    outside = np.maximum(np.abs(along) - half[0], np.abs(across) - half[1])
    cover_HW1 = np.clip(0.5 - outside / _EDGE_PX, 0, 1)[..., None].astype(np.float32)
    is_end_HW1 = np.clip(0.5 + (along - 0.25 * half[0]) / _EDGE_PX, 0, 1)[..., None]
    colour_HWC = colours[0] + is_end_HW1.astype(np.float32) * (colours[1] - colours[0])
    image_HWC += cover_HW1 * (colour_HWC - image_HWC)


def _background(rng: np.random.Generator) -> Plane:
    """Blurred patches of random colours, in three sizes; float32 (H, W, C) in 0..255."""
    image_HWC = np.zeros((SIZE_PX, SIZE_PX, 3), np.float32)
    for cells, weight in ((3, 40.0), (8, 22.0), (20, 12.0)):
        at = np.linspace(0, cells - 1, SIZE_PX)
        for channel in range(3):
            coarse = rng.normal(0, 1, (cells, cells))
            rows = np.stack([np.interp(at, np.arange(cells), column) for column in coarse.T], 1)
            plane = np.stack([np.interp(at, np.arange(cells), row) for row in rows])
            image_HWC[..., channel] += (weight * plane).astype(np.float32)
    return np.clip(image_HWC + rng.uniform(70, 150, 3).astype(np.float32), 0, 255)

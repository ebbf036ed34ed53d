"""A moth that flutters about and makes no sound: not all that moves is heard."""

import numpy as np

from sample.canvas import SIZE_PX, Image, Window

__all__ = ["Moth"]

_SHARE = 0.5
_RADIUS_PX = 3.5
_TURN_S = (0.3, 1.2)
_PLACES_PX = ((8, SIZE_PX - 8), (6, 56))
"""Left and right, top and bottom: it stays over what falls and bounces."""
_COLOUR = (132.0, 128.0, 124.0)
_FLAPS_HZ = 7.0


class Moth:
    """Flies from place to place, and turns at once.

    Args:
        rng: what it does is drawn from.
        duration_s: so long.
    """

    def __init__(self, rng: np.random.Generator, duration_s: float) -> None:
        self.is_there = bool(rng.random() < _SHARE)
        turns_s = np.cumsum(rng.uniform(*_TURN_S, int(duration_s / _TURN_S[0]) + 2))
        self._turns_s = np.concatenate([[0.0], turns_s])
        (left, right), (top, low) = _PLACES_PX
        self._x = rng.uniform(left, right, len(self._turns_s))
        self._y = rng.uniform(top, low, len(self._turns_s))

    def draw(self, image_HWC: Image, time_s: float) -> None:
        """Draw it where it is."""
        if not self.is_there:
            return
        x = float(np.interp(time_s, self._turns_s, self._x))
        y = float(np.interp(time_s, self._turns_s, self._y))
        wing_px = _RADIUS_PX * (0.4 + 0.6 * abs(np.sin(np.pi * _FLAPS_HZ * time_s)))
        window = Window.around(x, y, _RADIUS_PX + 2, _RADIUS_PX + 2)
        away_HW = np.sqrt((window.x_W / wing_px) ** 2 + (window.y_H1 / _RADIUS_PX) ** 2)
        window.blend(image_HWC, np.clip(1.5 * (1.3 - away_HW), 0, 1), _COLOUR)

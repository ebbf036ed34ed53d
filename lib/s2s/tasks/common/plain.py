"""Pictures of nothing."""

import numpy as np

__all__ = ["is_plain"]

_MOST_PLAIN = 8  # of 255: what is left of noise and compression when pictures are scaled down
_FRAMES_LOOKED_AT = 16


def is_plain(frames_THWC: np.ndarray) -> bool:
    """Whether frames, uint8 (T, H, W, 3), show one colour, each the whole of it the same."""
    some = frames_THWC[:: max(1, len(frames_THWC) // _FRAMES_LOOKED_AT)]
    return all(int(np.ptp(frame, axis=(0, 1)).max()) <= _MOST_PLAIN for frame in some)

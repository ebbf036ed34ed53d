"""Clips as arrays: what extractors are given, and how what they give is described.

Legend: T frames, H height, W width, C channels, N samples.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ArraySpec", "ClipMedia"]


@dataclass(frozen=True)
class ClipMedia:
    """A decoded clip on the grid of its time spec.

    Attributes:
        frames_THWC: pictures, uint8, RGB, one each 1/fps seconds.
        samples_N: mono sound, float32 in -1..1; may be a little shorter or longer than the
            pictures last.
    """

    frames_THWC: np.ndarray  # T time, H height, W width, C channels
    samples_N: np.ndarray  # N samples


class ArraySpec(BaseModel):
    """What one array of a clip is.

    Attributes:
        name: its name in a shard.
        shape: values at one instant; `(D,)` for a stream, `(H, W, 3)` for frames, `()` for bytes.
        dtype: how they are stored.
        rate_hz: instants a second; None where the array is no stream over time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    shape: tuple[int, ...]
    dtype: str = "float16"
    rate_hz: float | None = None

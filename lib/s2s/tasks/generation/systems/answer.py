"""The answer of a system: sound for a clip."""

from dataclasses import dataclass

import numpy as np

__all__ = ["SoundAnswer"]


@dataclass(frozen=True)
class SoundAnswer:
    """One system's sound of a clip.

    Attributes:
        samples_N: float32, as long as the real sound.
        delay_s: by how much the system was shown the video too late: its sound is right when it
            is as late.
        others: sounds for the same video by other seeds.
    """

    samples_N: np.ndarray
    delay_s: float = 0.0
    others: tuple[np.ndarray, ...] = ()

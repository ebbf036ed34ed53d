"""What a system answers: every face's voice, in every mixture that is made for a clip.

Legend: S faces, N samples.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["SeparationAnswer"]


@dataclass(frozen=True)
class SeparationAnswer:
    """One system's voices.

    Attributes:
        voices: of each mixture, float32 (S, N), in the order of its faces.
        seconds: time that they took on one core; None where that says nothing.
        is_heard_closely: whether measures of how it sounds are taken too, which take their time.
        is_only_dealt: whether they are true voices that were dealt to faces: it says something
            whose they are, but not how they sound.
    """

    voices: tuple[np.ndarray, ...]
    seconds: float | None = None
    is_heard_closely: bool = False
    is_only_dealt: bool = False

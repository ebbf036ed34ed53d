"""What networks are shown of a video: a stream of motion and a stream of meaning, frame by frame.

Legend: T frames, H height, W width, C channels, D features of a stream.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from s2s.errors import ModelError
from s2s.spec import TimeSpec
from s2s.tasks.generation.extractors.colours import Colours
from s2s.tasks.generation.extractors.motion import Motion
from s2s.tasks.generation.extractors.visual import Visual
from s2s.tasks.generation.settings import GenerationFeatureSettings

__all__ = ["STREAMS", "WEIGHTS_FILE", "Sight", "open_sight", "side_by_side"]

STREAMS = ("motion", "semantic")
"""Names of the streams, in the order in which they lie side by side."""
WEIGHTS_FILE = "extractors.safetensors"
"""Weights of extractors that have any, beside what was made with them."""


class Sight:
    """The extractors of both streams.

    Args:
        motion: what moves.
        semantic: what there is.
    """

    def __init__(self, motion: Visual, semantic: Visual) -> None:
        self.extractors = (motion, semantic)

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height that pictures are to be read with, in pixels."""
        sizes = [extractor.frame_size for extractor in self.extractors]
        return max(width for width, _ in sizes), max(height for _, height in sizes)

    @property
    def dims(self) -> dict[str, int]:
        """Features of each stream."""
        return {extractor.name: extractor.dim for extractor in self.extractors}

    def of_frames(self, frames_THWC: np.ndarray) -> np.ndarray:
        """A video's streams side by side: float32 (T, sum of D).

        Args:
            frames_THWC: uint8 (T, H, W, 3), one each 1/fps seconds; may be mapped from disk.
        """
        rows = {part.name: part.of_frames(frames_THWC) for part in self.extractors}
        return side_by_side(rows)

    def of_picture(self, frame_HWC: np.ndarray, n_frames: int) -> np.ndarray:
        """A still picture's streams for so many frames, from one look at it.

        Args:
            frame_HWC: uint8 (H, W, 3).
            n_frames: how long it is shown.

        Returns:
            float32 (n_frames, sum of D).
        """
        return np.repeat(self.of_frames(frame_HWC[None]), n_frames, axis=0)


def open_sight(
    spec: TimeSpec, settings: GenerationFeatureSettings, weights: Path | None = None
) -> Sight:
    """The extractors that a recipe or a model's config asks for.

    Args:
        spec: the time grid.
        settings: which extractors.
        weights: a file as `extractors.weights.fetch_weights` writes it; needed by extractors that
            have weights.

    Raises:
        ModelError: if there is no such file, or it does not fit.
    """
    if not settings.needs_weights:
        return Sight(Motion(spec, settings), Colours(spec, settings))
    if weights is None or not weights.is_file():
        raise ModelError(
            f"{weights or WEIGHTS_FILE}: the weights of {settings.motion}, {settings.semantic} are "
            "not there: run feature_extraction and training again"
        )
    from s2s.tasks.generation.extractors.weights import open_extractors  # noqa: PLC0415 - imports timm, torchvision

    return Sight(*open_extractors(spec, settings, weights))


def side_by_side(streams: Mapping[str, np.ndarray]) -> np.ndarray:
    """Streams (T, D) by name as one array (T, sum of D)."""
    return np.concatenate([streams[name] for name in STREAMS], axis=1)

"""A video's visual features: motion and appearance, frame by frame.

Legend: T frames, H height, W width, C channels, D features of a stream.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from s2s.errors import ModelError
from s2s.spec import TimeSpec
from s2s.tasks.common.mel import LogMel
from s2s.tasks.contract import Extractor
from s2s.tasks.generation.extractors.colours import Colours
from s2s.tasks.generation.extractors.motion import Motion
from s2s.tasks.generation.extractors.pictures import APPEARANCE, MOTION, PictureExtractor
from s2s.tasks.generation.settings import GenerationFeatureSettings, GenerationRecipe
from s2s.tasks.values import EXTRACTOR_WEIGHTS_FILE

__all__ = ["STREAMS", "VideoProcessor", "make_processor", "open_processor", "side_by_side"]

STREAMS = (MOTION, APPEARANCE)
"""Names of the streams, in the order in which they lie side by side."""


class VideoProcessor:
    """Log-mel of the sound, motion and appearance of the picture, on one grid of time.

    Args:
        spec: the time grid.
        motion: extracts motion.
        appearance: extracts appearance.
    """

    def __init__(
        self, spec: TimeSpec, motion: PictureExtractor, appearance: PictureExtractor
    ) -> None:
        self.fps = spec.fps
        self.sample_rate_hz = spec.sample_rate_hz
        self._spec = spec
        self.streams = (motion, appearance)

    @property
    def extractors(self) -> tuple[Extractor, ...]:
        """The extractors that make the arrays of a shard."""
        return (LogMel(self._spec), *self.streams)

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height that pictures are to be read with, in pixels."""
        sizes = [stream.frame_size for stream in self.streams]
        return max(width for width, _ in sizes), max(height for _, height in sizes)

    @property
    def dims(self) -> dict[str, int]:
        """Features of each stream."""
        return {stream.name: stream.dim for stream in self.streams}

    def of_frames(self, frames_THWC: np.ndarray) -> np.ndarray:
        """A video's streams side by side: float32 (T, sum of D).

        Args:
            frames_THWC: uint8 (T, H, W, 3), one each 1/fps seconds; may be mapped from disk.
        """
        return side_by_side({part.name: part.of_frames(frames_THWC) for part in self.streams})

    def of_picture(self, frame_HWC: np.ndarray, n_frames: int) -> np.ndarray:
        """A still picture's streams for so many frames, from one look at it.

        Args:
            frame_HWC: uint8 (H, W, 3).
            n_frames: how long it is shown.

        Returns:
            float32 (n_frames, sum of D).
        """
        return np.repeat(self.of_frames(frame_HWC[None]), n_frames, axis=0)


def make_processor(recipe: GenerationRecipe, weights: Path | None) -> VideoProcessor:
    """The processor that a recipe asks for, see `open_processor`."""
    return open_processor(recipe.spec, recipe.feature_extraction, weights)


def open_processor(
    spec: TimeSpec, settings: GenerationFeatureSettings, weights: Path | None = None
) -> VideoProcessor:
    """The processor that a recipe or a model's config asks for.

    Args:
        spec: the time grid.
        settings: which extractors.
        weights: a file as `extractors.weights.fetch_weights` writes it; needed by extractors that
            have weights.

    Raises:
        ModelError: if there is no such file, or it does not fit.
    """
    if not settings.needs_weights:
        return VideoProcessor(spec, Motion(spec, settings), Colours(spec, settings))
    if weights is None or not weights.is_file():
        raise ModelError(
            f"{weights or EXTRACTOR_WEIGHTS_FILE}: the weights of {settings.motion}, "
            f"{settings.semantic} are not there: run feature_extraction and training again"
        )
    from s2s.tasks.generation.extractors.weights import open_extractors  # noqa: PLC0415 - imports timm, torchvision

    return VideoProcessor(spec, *open_extractors(spec, settings, weights))


def side_by_side(streams: Mapping[str, np.ndarray]) -> np.ndarray:
    """Streams (T, D) by name as one array (T, sum of D)."""
    return np.concatenate([streams[name] for name in STREAMS], axis=1)

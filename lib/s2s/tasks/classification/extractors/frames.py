"""Frames of a clip, as they are or as JPEG files.

Legend: T frames, H height, W width, C channels.
"""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from s2s.features.arrays import Array, ArraySpec, ClipMedia

__all__ = ["FRAMES", "JpegFrames", "RawFrames", "read_jpegs"]

FRAMES = "frames"
"""Name of the array in a shard."""


class RawFrames:
    """Pictures as they are: quickest to read.

    Args:
        rate_hz: frames a second.
        size: width and height in pixels.
    """

    def __init__(self, rate_hz: int, size: tuple[int, int]) -> None:
        width, height = size
        shape = (height, width, 3)
        self.arrays = (ArraySpec(name=FRAMES, shape=shape, dtype="uint8", rate_hz=rate_hz),)

    def __call__(self, clip: ClipMedia) -> Mapping[str, Array]:
        """`frames`: uint8 (T, H, W, C)."""
        return {FRAMES: clip.frames_THWC}


class JpegFrames:
    """Pictures as JPEG files: about a tenth as large.

    Args:
        rate_hz: frames a second.
        quality: of the files, 1..100.
    """

    def __init__(self, rate_hz: int, quality: int) -> None:
        self.arrays = (ArraySpec(name=FRAMES, is_bytes=True, rate_hz=rate_hz),)
        self._quality = quality

    def __call__(self, clip: ClipMedia) -> Mapping[str, Array]:
        """`frames`: a JPEG file for each picture."""
        return {FRAMES: self.files_of(clip.frames_THWC)}

    def files_of(self, frames_THWC: np.ndarray) -> list[np.ndarray]:
        """A JPEG file for each picture of uint8 (T, H, W, C)."""
        return [self._encode(frame_HWC) for frame_HWC in frames_THWC]

    def _encode(self, frame_HWC: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(frame_HWC).save(file, "JPEG", quality=self._quality)
        return np.frombuffer(file.getvalue(), np.uint8)


def read_jpegs(files: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures of JPEG files of one size: uint8 (T, H, W, C).

    Raises:
        OSError: if one is damaged.
        ValueError: if there is none, or they differ in size.
    """
    opened = (Image.open(io.BytesIO(file.tobytes()), formats=["JPEG"]) for file in files)
    return np.stack([np.asarray(image) for image in opened])

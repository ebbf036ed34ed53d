"""How much moves, and how loud it is, frame by frame."""

from collections.abc import Mapping

import numpy as np

from s2s.features.arrays import Array, ArraySpec, ClipMedia

__all__ = ["Loudness", "Movement"]


class Movement:
    """Mean change of each channel since the frame before, as bytes."""

    def __init__(self, rate_hz: int) -> None:
        self.arrays = (ArraySpec(name="movement", shape=(3,), dtype="uint8", rate_hz=rate_hz),)

    def __call__(self, clip: ClipMedia) -> Mapping[str, Array]:
        """`movement`: uint8 (T, 3)."""
        frames = clip.frames_THWC.astype(np.float32)
        change = np.abs(np.diff(frames, axis=0, prepend=frames[:1])).mean(axis=(1, 2))
        return {"movement": np.minimum(8 * change, 255).astype(np.uint8)}


class Loudness:
    """Root mean square of the sound of each frame, in dB."""

    def __init__(self, rate_hz: int, sample_rate_hz: int) -> None:
        self.arrays = (ArraySpec(name="loudness", dtype="float32", rate_hz=rate_hz),)
        self._samples_per_frame = sample_rate_hz // rate_hz

    def __call__(self, clip: ClipMedia) -> Mapping[str, Array]:
        """`loudness`: float32 (T,)."""
        length = len(clip.frames_THWC) * self._samples_per_frame
        samples = np.resize(np.append(clip.samples_N[:length], 0), length)
        power = np.square(samples.reshape(-1, self._samples_per_frame)).mean(axis=1)
        return {"loudness": 10 * np.log10(power + 1e-6).astype(np.float32)}

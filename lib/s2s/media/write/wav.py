"""Sound as wav files."""

import wave
from pathlib import Path

import numpy as np

__all__ = ["write_wav"]


def write_wav(path: Path, samples: np.ndarray, sample_rate_hz: int) -> None:
    """Write mono sound as 16-bit PCM.

    Args:
        path: the file.
        samples: float (N,), clipped to -1..1.
        sample_rate_hz: samples a second.
    """
    pcm = (np.clip(samples, -1.0, 1.0) * 32767.0).round().astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)
        file.writeframes(pcm.tobytes())

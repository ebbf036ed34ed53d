"""Pictures of sound: which frequencies are loud when."""

from io import BytesIO

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.mlab import specgram
from numpy.typing import NDArray
from PIL import Image

__all__ = ["draw_spectrogram", "spectrogram_image"]

_COLOURS = "magma"
_WINDOW = 512
_OVERLAP = 352
_RANGE_DB = (-110.0, -30.0)
_INK = "#808080"  # readable on white and on black


def draw_spectrogram(samples: NDArray[np.float32], sample_rate_hz: int) -> bytes:
    """Draw a spectrogram with its axes, on a clear ground.

    Args:
        samples: float (N,), mono.
        sample_rate_hz: samples a second.

    Returns:
        a PNG file.
    """
    seconds, top_khz = len(samples) / sample_rate_hz, sample_rate_hz / 2000
    figure = Figure(figsize=(4.2, 1.9), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(
        spectrogram_image(samples, sample_rate_hz),
        extent=(0, seconds, 0, top_khz),
        aspect="auto",
        interpolation="bilinear",
    )
    axes.set_xlabel("seconds", color=_INK, fontsize=8)
    axes.set_ylabel("kHz", color=_INK, fontsize=8)
    axes.tick_params(colors=_INK, labelsize=8)
    axes.spines[:].set_color(_INK)
    file = BytesIO()
    figure.savefig(file, format="png", transparent=True)
    return file.getvalue()


def spectrogram_image(samples: NDArray[np.float32], sample_rate_hz: int) -> Image.Image:
    """A bare spectrogram: time to the right, frequency up, -110 to -30 dB/Hz as colour.

    Args:
        samples: float (N,), mono.
        sample_rate_hz: samples a second.
    """
    padded = np.pad(samples, (0, max(0, 2 * _WINDOW - len(samples))))
    power, _, _ = specgram(padded, NFFT=_WINDOW, Fs=sample_rate_hz, noverlap=_OVERLAP)
    loudness_db = 10 * np.log10(np.asarray(power) + 1e-15)
    low_db, high_db = _RANGE_DB
    shade = np.clip((loudness_db - low_db) / (high_db - low_db), 0, 1)
    return Image.fromarray(colormaps[_COLOURS](shade[::-1], bytes=True)).convert("RGB")

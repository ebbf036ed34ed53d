"""Spectrograms as pictures.

Legend: M mel frames, B bands.
"""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np

from s2s.spec import TimeSpec

matplotlib.use("Agg")
from matplotlib.figure import Figure

__all__ = ["draw_mels"]


def draw_mels(path: Path, mels: Mapping[str, np.ndarray], spec: TimeSpec) -> None:
    """Draw log-mel spectrograms, (M, B) each, one above the other."""
    figure = Figure(figsize=(7, 2.2 * len(mels)), layout="constrained")
    for axes, (name, mel_MB) in zip(
        figure.subplots(len(mels), sharex=True, squeeze=False)[:, 0], mels.items(), strict=True
    ):
        seconds = len(mel_MB) / spec.mel_rate_hz
        axes.imshow(
            mel_MB.T, origin="lower", aspect="auto", extent=(0, seconds, 0, spec.n_mels), vmin=-11.5
        )
        axes.set(title=name, ylabel="mel band")
    figure.supxlabel("seconds")
    figure.savefig(path, dpi=80)

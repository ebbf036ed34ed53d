"""A predictor without a model: one tone for every video. For tests and for work on the page."""

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from s2s.media import add_sound, probe, write_wav

__all__ = ["ToneGeneration", "TonePredictor"]

_SAMPLE_RATE_HZ = 16_000
_LOWEST_HZ = 220.0


@dataclass(frozen=True)
class ToneGeneration:
    """What was done; as `s2s.predictors.generation.Generation`."""

    duration_s: float
    seconds_by_step: dict[str, float] = field(default_factory=dict)


class TonePredictor:
    """Held to the same contract as `s2s.predictors.generation.GenerationPredictor`."""

    def generate(
        self,
        video: Path,
        output: Path,
        *,
        seed: int = 0,
        steps: int | None = None,  # noqa: ARG002 - a tone has no steps
        guidance: float | None = None,  # noqa: ARG002 - and nothing that guides it
    ) -> ToneGeneration:
        """Write the video with a tone; the seed sets its pitch."""
        started = time.monotonic()
        duration_s = probe(video).duration_s
        times_s = np.arange(round(duration_s * _SAMPLE_RATE_HZ)) / _SAMPLE_RATE_HZ
        pitch_hz = _LOWEST_HZ * 2 ** ((seed % 24) / 12)
        samples = 0.3 * np.sin(2 * np.pi * pitch_hz * times_s)
        with tempfile.TemporaryDirectory(dir=output.parent) as folder:
            wav = Path(folder) / "tone.wav"
            write_wav(wav, samples, _SAMPLE_RATE_HZ)
            add_sound(video, wav, output)
        return ToneGeneration(duration_s, {"tone": time.monotonic() - started})

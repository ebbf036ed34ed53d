"""A predictor without a model: one tone for every video."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from s2s.media import MediaLimits, write_frames
from s2s.tasks.contract import Made, Notes, Upload
from s2s.tasks.generation.predictor.files import video_of, write_answer
from s2s.tasks.generation.predictor.offer import OFFER, GenerationOptions
from s2s.tasks.loading import load_task
from serving.models.served import ServedModel

_FPS, _FRAME_SIZE = 25, (16, 16)
_FRAME_BYTES = 16 * 16 * 3
_SAMPLE_RATE_HZ = 16_000
_LOWEST_HZ = 220.0


@dataclass(frozen=True)
class Tone:
    """What to play."""

    seed: int
    duration_s: float


class TonePredictor:
    """Held to the same contract as the one that has learned."""

    def __init__(self, limits: MediaLimits | None = None) -> None:
        self._limits = limits or MediaLimits()

    def prepare(self, upload: Upload, options: GenerationOptions, notes: Notes) -> Tone:
        """How long the tone is."""
        frames = upload.folder / "frames"
        with notes.step("decode"):
            video = video_of(upload, _FPS, options.duration_s, self._limits)
            work = (write_frames, video, frames, _FPS, _FRAME_SIZE, self._limits)
            upload.run(*work, on_progress=notes.tell)
        return Tone(options.seed, frames.stat().st_size / _FRAME_BYTES / _FPS)

    def predict(self, batch: Sequence[Tone]) -> Sequence[np.ndarray]:
        """The tones; the seed sets the pitch."""
        return [_samples(tone) for tone in batch]

    def finish(
        self,
        upload: Upload,
        options: GenerationOptions,
        output: np.ndarray,
        notes: Notes,
    ) -> Made:
        """The video with the tone."""
        with notes.step("mux"):
            return write_answer(upload, options, output, _SAMPLE_RATE_HZ)


def _samples(tone: Tone) -> np.ndarray:
    times_s = np.arange(round(tone.duration_s * _SAMPLE_RATE_HZ)) / _SAMPLE_RATE_HZ
    pitch_hz = _LOWEST_HZ * 2 ** ((tone.seed % 24) / 12)
    return (0.3 * np.sin(2 * np.pi * pitch_hz * times_s)).astype(np.float32)


def tone_model(
    name: str = "tone", load: Callable[[], TonePredictor] = TonePredictor
) -> ServedModel:
    """How it is offered: as generation is."""
    page = load_task("generation").page_folder
    return ServedModel(name, "generation", OFFER, lambda _limits: load(), page=page)

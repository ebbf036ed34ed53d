"""The generation model in the three steps from a file to a file with sound."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch

from s2s.media import MediaLimits, map_frames, most_bytes, write_frames, write_picture
from s2s.tasks.common.plain import is_plain
from s2s.tasks.contract import Made, Notes, Upload
from s2s.tasks.generation.predictor.files import video_of, write_answer
from s2s.tasks.generation.predictor.model import Draw, SoundModel
from s2s.tasks.generation.predictor.offer import GenerationOptions
from s2s.tasks.generation.predictor.strange import PLAIN, TOO_LOUD, turn_down

__all__ = ["Draw", "GenerationPredictor"]

_DEFAULT_LIMITS = MediaLimits()
_PLAIN_MARK = "plain"
"""A file in a job's folder: there is nothing to see in what was sent."""


@dataclass(frozen=True)
class _Input:
    """A spectrogram to be drawn, and the notes that its progress is told to."""

    draw: Draw
    notes: Notes


class GenerationPredictor(SoundModel):
    """Sound for videos and pictures: `s2s.tasks.contract.Predictor` says when each step runs.

    Attributes:
        limits: what a file may ask for.
    """

    limits: MediaLimits = _DEFAULT_LIMITS

    @classmethod
    def load(cls, model_dir: Path, limits: MediaLimits = _DEFAULT_LIMITS) -> Self:
        """Load a model directory, onto a GPU where there is one.

        Args:
            model_dir: the model directory.
            limits: what a file may ask for.

        Raises:
            ModelError: if it does not hold a model that fits.
        """
        predictor = super().load(model_dir)
        predictor.limits = limits
        return predictor

    @property
    def frame_bytes(self) -> int:
        """Bytes of all frames of the longest video that is accepted; they are read in pieces."""
        return most_bytes(self.limits, self.config.spec.fps, self.processor.frame_size)

    def prepare(self, upload: Upload, options: GenerationOptions, notes: Notes) -> _Input:
        """Read the upload's pictures and compute its visual features."""
        _use_one_thread()
        picture, size = upload.folder / "frames", self.processor.frame_size
        is_still = upload.kind == "picture"
        with notes.step("decode"):
            if is_still:
                work = (upload.path, picture, size, self.limits)
                upload.run(write_picture, *work)
            else:
                work = (upload.path, picture, self.config.spec.fps, size, self.limits)
                upload.run(write_frames, *work, file_bytes=self.frame_bytes, on_progress=notes.tell)
        with notes.step("features"):
            seen_THWC = map_frames(picture, size)
            if is_plain(seen_THWC):
                (upload.folder / _PLAIN_MARK).touch()
            duration_s = min(options.duration_s, self.limits.max_duration_s)
            condition_TC = (
                self.see_picture(seen_THWC[0], duration_s) if is_still else self.see(seen_THWC)
            )
            picture.unlink()  # who waits for the model needs no room for it
        draw = Draw(condition_TC, options.seed, options.steps, options.guidance, is_still)
        return _Input(draw, notes)

    def predict(self, batch: Sequence[_Input]) -> Sequence[torch.Tensor]:
        """Draw log-mel spectrograms, (M, B) each."""
        _use_one_thread()

        def tell(share: float) -> None:
            for item in batch:
                item.notes.tell(share)

        return self.mels([item.draw for item in batch], tell)

    def finish(
        self,
        upload: Upload,
        options: GenerationOptions,
        output: torch.Tensor,
        notes: Notes,
    ) -> Made:
        """Make the sound of a spectrogram, and write the file."""
        _use_one_thread()
        with notes.step("vocode"):
            samples_N, is_too_loud = turn_down(self.unbounded(output))
        notes.tell(0.7)
        with notes.step("mux"):
            spec = self.config.spec
            if options.format == "mp4":  # a picture's answer is a video that shows it
                video_of(upload, spec.fps, options.duration_s, self.limits)
            made = write_answer(upload, options, samples_N, spec.sample_rate_hz)
        is_empty = (upload.folder / _PLAIN_MARK).exists()
        warning = PLAIN if is_empty else TOO_LOUD if is_too_loud else None
        return replace(made, document={**made.document, "warning": warning}) if warning else made


def _use_one_thread() -> None:
    """One clip is too little work for more: on busy cores, two took ten times as long.

    torch keeps the number for the thread that sets it.
    """
    torch.set_num_threads(1)

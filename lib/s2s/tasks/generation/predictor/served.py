"""The generation model in the three steps that serving asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch

from s2s.media import MediaLimits, map_frames, run_sandboxed, write_frames, write_picture
from s2s.tasks.generation.predictor.answer import GenerationOptions, video_of, write_answer
from s2s.tasks.generation.predictor.predictor import Draw, GenerationPredictor
from serving.models.contract import Made, Notes, Upload

__all__ = ["Generator"]


@dataclass(frozen=True)
class _Item:
    """A spectrogram to be drawn, and whom to tell how far it is."""

    draw: Draw
    notes: Notes


class Generator:
    """Sound for pictures.

    Args:
        predictor: the model.
        limits: what a file may ask for.
    """

    def __init__(self, predictor: GenerationPredictor, limits: MediaLimits) -> None:
        self._predictor = predictor
        self._spec = predictor.config.spec
        self._limits = limits

    @classmethod
    def load(cls, folder: Path, limits: MediaLimits) -> Self:
        """Load a model directory; to be called in the thread that will use it.

        Raises:
            ModelError: if it does not hold a model that fits.
        """
        _use_one_thread()
        return cls(GenerationPredictor.load(folder), limits)

    def prepare(self, upload: Upload, options: GenerationOptions, notes: Notes) -> _Item:
        """What is seen in the picture; see `Predictor.prepare`."""
        _use_one_thread()
        picture, size = upload.folder / "frames", self._predictor.processor.frame_size
        is_still = upload.kind == "picture"
        with notes.step("decode"):
            if is_still:
                work = (upload.path, picture, size, self._limits)
                run_sandboxed(write_picture, *work, folder=upload.folder)
            else:
                work = (upload.path, picture, self._spec.fps, size, self._limits)
                run_sandboxed(write_frames, *work, folder=upload.folder, on_progress=notes.tell)
        with notes.step("features"):
            seen_THWC = map_frames(picture, size)
            condition_TC = (
                self._predictor.see_picture(seen_THWC[0], self._duration_s(options))
                if is_still
                else self._predictor.see(seen_THWC)
            )
        draw = Draw(condition_TC, options.seed, options.steps, options.guidance, is_still)
        return _Item(draw, notes)

    def _duration_s(self, options: GenerationOptions) -> float:
        return min(options.duration_s, self._limits.max_duration_s)

    def predict(self, batch: Sequence[_Item]) -> Sequence[torch.Tensor]:
        """Log-mel spectrograms, (M, B) each."""

        def tell(share: float) -> None:
            for item in batch:
                item.notes.tell(share)

        return self._predictor.mels([item.draw for item in batch], tell)

    def finish(
        self,
        upload: Upload,
        options: GenerationOptions,
        output: torch.Tensor,
        notes: Notes,
    ) -> Made:
        """The phases, and the file; see `Predictor.finish`."""
        _use_one_thread()
        with notes.step("vocode"):
            samples_N = self._predictor.vocode(output)
        notes.tell(0.7)
        with notes.step("mux"):
            if options.format == "mp4":  # a picture's answer is a video that shows it
                video_of(upload, self._spec.fps, options.duration_s, self._limits)
            return write_answer(upload, options, samples_N, self._spec.sample_rate_hz)


def _use_one_thread() -> None:
    """One clip is too little work for more: on busy cores, two took ten times as long.

    torch keeps the number for the thread that sets it.
    """
    torch.set_num_threads(1)

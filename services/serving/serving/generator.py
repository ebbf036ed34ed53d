"""The generation model in the three steps that serving asks for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch

from s2s.features.motion import FRAME_SIZE
from s2s.media import MediaLimits, run_sandboxed, write_frames
from s2s.predictors.generation import Draw, GenerationPredictor, map_frames, timed
from serving.predictor import Made, Upload
from serving.sounding import GenerationOptions, video_of, write_answer

__all__ = ["Generator"]


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

    def prepare(
        self, upload: Upload, options: GenerationOptions, seconds: dict[str, float]
    ) -> Draw:
        """What moves in the picture; see `Predictor.prepare`."""
        _use_one_thread()
        fps, frames = self._spec.fps, upload.folder / "frames"
        with timed(seconds, "decode"):
            video = video_of(upload, fps, options.duration_s, self._limits)
            run_sandboxed(
                write_frames, video, frames, fps, FRAME_SIZE, self._limits, folder=upload.folder
            )
        with timed(seconds, "features"):
            motion_TC = self._predictor.motion(map_frames(frames))
        return Draw(motion_TC, options.seed, options.steps, options.guidance)

    def predict(self, batch: Sequence[Draw]) -> Sequence[torch.Tensor]:
        """Log-mel spectrograms, (M, B) each."""
        return self._predictor.mels(batch)

    def finish(
        self,
        upload: Upload,
        options: GenerationOptions,
        output: torch.Tensor,
        seconds: dict[str, float],
    ) -> Made:
        """The phases, and the file; see `Predictor.finish`."""
        _use_one_thread()
        with timed(seconds, "vocode"):
            samples_N = self._predictor.vocode(output)
        with timed(seconds, "mux"):
            return write_answer(upload, options, samples_N, self._spec.sample_rate_hz)


def _use_one_thread() -> None:
    """One clip is too little work for more: on busy cores, two took ten times as long.

    torch keeps the number for the thread that sets it.
    """
    torch.set_num_threads(1)

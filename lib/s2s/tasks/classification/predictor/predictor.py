"""From a video to its classes, on the whole and over time.

Legend: T frames, N samples, L classes, W windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from s2s.errors import MediaError
from s2s.features.arrays import ClipMedia
from s2s.media import MediaLimits, map_frames, most_bytes, write_frames, write_samples
from s2s.reasons import Reason
from s2s.tasks.classification.data import audible
from s2s.tasks.classification.predictor.classifier import Classifier
from s2s.tasks.classification.predictor.offer import ClassificationOptions
from s2s.tasks.classification.processor import ClipArrays, View
from s2s.tasks.contract import Made, Notes, Upload

__all__ = ["ClassificationPredictor"]

_HOP_S = 1.0
_WINDOWS_AT_A_TIME = 16
_DIGITS = 5


@dataclass(frozen=True)
class _Window:
    """A stretch of a video, as long as the clips that the model was trained on, or shorter."""

    start_s: float
    end_s: float
    arrays: ClipArrays


class ClassificationPredictor:
    """Classes of videos: `s2s.tasks.contract.Predictor` says when each step runs.

    Args:
        classifier: the model.
        limits: what a file may ask for.
    """

    def __init__(self, classifier: Classifier, limits: MediaLimits) -> None:
        self.classifier = classifier
        self.classes = classifier.classes
        self._limits = limits

    @classmethod
    def load(cls, folder: Path, limits: MediaLimits) -> Self:
        """Load a model directory, onto a GPU where there is one.

        Raises:
            ModelError: if it does not hold a model that fits.
        """
        torch.set_num_threads(1)
        return cls(Classifier.load(folder), limits)

    @property
    def frame_bytes(self) -> int:
        """What the frames of the longest video that is taken have; windows are read from them."""
        processor = self.classifier.processor
        return most_bytes(self._limits, processor.fps, processor.frame_size)

    def prepare(
        self, upload: Upload, options: ClassificationOptions, notes: Notes
    ) -> Sequence[_Window]:
        """Decode the video once, and take windows of it every second."""
        torch.set_num_threads(1)
        processor = self.classifier.processor
        frames_path = upload.folder / "frames"
        with notes.step("decode"):
            work = (upload.path, frames_path, processor.fps, processor.frame_size, self._limits)
            upload.run(write_frames, *work, file_bytes=self.frame_bytes, on_progress=notes.tell)
            samples_N = self._sound(upload)
        with notes.step("features"):
            frames_THWC = map_frames(frames_path, processor.frame_size)
            return self._windows(frames_THWC, samples_N, options)

    def predict(self, batch: Sequence[Sequence[_Window]]) -> Sequence[Any]:
        """Each window with the probabilities of its classes, float64 (L,)."""
        windows = [window for item in batch for window in item]
        parts = []
        for start in range(0, len(windows), _WINDOWS_AT_A_TIME):
            some = [self._seen(window) for window in windows[start : start + _WINDOWS_AT_A_TIME]]
            inputs = self.classifier.processor.inputs(some, [View()] * len(some))
            parts.append(self.classifier.probabilities(self.classifier.scores(inputs)))
        chances_WL = np.concatenate(parts)
        bounds = np.cumsum([0, *(len(item) for item in batch)])
        timed = [chances_WL[start:stop] for start, stop in pairwise(bounds)]
        return [
            [(window, chances_L) for window, chances_L in zip(item, chances, strict=True)]
            for item, chances in zip(batch, timed, strict=True)
        ]

    def _seen(self, window: _Window) -> ClipArrays:
        """A window, of its frames only those that are looked at, as they would be in a shard."""
        frames_THWC, mel_MK = window.arrays
        processor = self.classifier.processor
        chosen = processor.chosen(len(frames_THWC), View())
        return processor.stored_frames(frames_THWC[chosen]), mel_MK

    def finish(
        self, upload: Upload, options: ClassificationOptions, output: Any, notes: Notes
    ) -> Made:
        """The most probable classes, on the whole and over time."""
        del upload, notes
        whole_L = np.mean([chances_L for _, chances_L in output], axis=0)
        named = np.argsort(-whole_L, kind="stable")[: options.top_k]
        over_time = [
            {
                "start_s": round(window.start_s, 3),
                "end_s": round(window.end_s, 3),
                "classes": self._said(chances_L, options.top_k),
            }
            for window, chances_L in output
        ]
        document = {
            "classes": self._said(whole_L, options.top_k),
            "over_time": over_time,
            "curves": {
                self.classes[n]: [round(float(chances_L[n]), _DIGITS) for _, chances_L in output]
                for n in named
            },
        }
        return Made(document=document)

    def _said(self, chances_L: np.ndarray, count: int) -> list[dict[str, Any]]:
        order = np.argsort(-chances_L, kind="stable")[:count]
        return [
            {"label": self.classes[n], "probability": round(float(chances_L[n]), _DIGITS)}
            for n in order
        ]

    def _sound(self, upload: Upload) -> np.ndarray | None:
        """The upload's sound, float32 (N,); None where it has none, or none is heard."""
        rate_hz, path = self.classifier.processor.sample_rate_hz, upload.folder / "samples"
        if rate_hz is None:
            return None
        try:
            upload.run(write_samples, upload.path, path, rate_hz, self._limits)
        except MediaError as error:
            # What only hears has nothing to go by.
            if error.reason != Reason.NO_AUDIO or not self.classifier.config.network.sees:
                raise
            return None
        return np.fromfile(path, np.float32)

    def _windows(
        self,
        frames_THWC: np.ndarray,
        samples_N: np.ndarray | None,
        options: ClassificationOptions,
    ) -> list[_Window]:
        processor = self.classifier.processor
        whole_s = len(frames_THWC) / processor.fps
        start_s, end_s = options.span()
        end_s = min(whole_s, end_s or whole_s)
        if start_s >= end_s:
            raise MediaError(
                Reason.START_PAST_END, f"the video ends after {whole_s:.2f} s, before start_s"
            )
        length_s = min(processor.config.spec.duration_s, end_s - start_s)
        last_s = end_s - length_s
        starts = [*np.arange(start_s, last_s, _HOP_S), last_s]
        return [self._window(frames_THWC, samples_N, float(at), length_s) for at in starts]

    def _window(
        self, frames_THWC: np.ndarray, samples_N: np.ndarray | None, start_s: float, length_s: float
    ) -> _Window:
        processor = self.classifier.processor
        first = min(round(start_s * processor.fps), len(frames_THWC) - 1)
        count = max(1, round(length_s * processor.fps))
        frames = frames_THWC[first : first + count]  # mapped: windows overlap, and may be many
        mel_MK = None
        if samples_N is not None and processor.sample_rate_hz is not None:
            rate_hz = processor.sample_rate_hz
            begin = round(start_s * rate_hz)
            heard_N = samples_N[begin : begin + round(length_s * rate_hz)]
            mel_MK = audible(processor.stored_mel(ClipMedia(frames, heard_N)))
        return _Window(start_s, start_s + length_s, (frames, mel_MK))

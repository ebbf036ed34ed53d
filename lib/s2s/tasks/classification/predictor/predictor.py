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
from s2s.media import MediaLimits, Part, map_frames, most_bytes, write_part, write_samples
from s2s.reasons import Reason
from s2s.tasks.classification.predictor.classifier import Classifier
from s2s.tasks.classification.predictor.footage import (
    Footage,
    Window,
    bounds_of,
    heard_around,
    unheard,
    unseen,
)
from s2s.tasks.classification.predictor.offer import ClassificationOptions
from s2s.tasks.classification.processor import ClipArrays, View
from s2s.tasks.contract import Made, Notes, Upload

__all__ = ["ClassificationPredictor"]

_WINDOWS_AT_A_TIME = 16
_DIGITS = 5
_WHOLE = (0.0, None)


@dataclass(frozen=True)
class _Seen:
    """Windows of a video, and what users should know of what is missing in them."""

    windows: Sequence[Window]
    warning: str | None


@dataclass(frozen=True)
class _Said:
    """The probabilities of classes in each window of a video, float64 (W, L)."""

    seen: _Seen
    chances_WL: np.ndarray


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

    def prepare(self, upload: Upload, options: ClassificationOptions, notes: Notes) -> _Seen:
        """Decode the part that was asked for, and take windows of it every second.

        Raises:
            MediaError: `start_past_end`; `no_audio` or `silent` if the model has nothing to go by.
        """
        torch.set_num_threads(1)
        processor, network = self.classifier.processor, self.classifier.config.network
        frames, span_s = upload.folder / "frames", options.span()
        with notes.step("decode"):
            size, part = processor.frame_size, Part(*span_s, processor.fps)
            work = (upload.path, frames, part, size, self._limits)
            most = self.frame_bytes
            read = upload.run(write_part, *work, file_bytes=most, on_progress=notes.tell)
            bounds_s = bounds_of(span_s, read, processor.fps)
            heard_s = None if span_s == _WHOLE else heard_around(bounds_s)
            samples_N = self._sound(upload, heard_s)
        with notes.step("features"):
            seen_THWC, from_s = map_frames(frames, size), heard_s[0] if heard_s else 0
            footage = Footage(bounds_s, seen_THWC, read, samples_N, from_s)
            windows = footage.windows(processor)
            told: list[str | None] = []
            if network.hears:
                has_sound = samples_N is not None
                told.append(unheard(windows, has_sound=has_sound, sees=network.sees))
            if network.sees:
                told.append(unseen(windows, hears=network.hears))
        return _Seen(windows, " ".join(filter(None, told)) or None)

    def predict(self, batch: Sequence[_Seen]) -> Sequence[_Said]:
        """The probabilities of the classes in each window."""
        windows = [window for item in batch for window in item.windows]
        parts = []
        for start in range(0, len(windows), _WINDOWS_AT_A_TIME):
            some = [self._arrays(window) for window in windows[start : start + _WINDOWS_AT_A_TIME]]
            inputs = self.classifier.processor.inputs(some, [View()] * len(some))
            parts.append(self.classifier.probabilities(self.classifier.scores(inputs)))
        chances_WL = np.concatenate(parts)
        bounds = np.cumsum([0, *(len(item.windows) for item in batch)])
        return [
            _Said(item, chances_WL[start:stop])
            for item, (start, stop) in zip(batch, pairwise(bounds), strict=True)
        ]

    def _arrays(self, window: Window) -> ClipArrays:
        """A window, of its frames only those that are looked at, as they would be in a shard."""
        frames_THWC, mel_MK = window.arrays
        processor = self.classifier.processor
        chosen = processor.chosen(len(frames_THWC), View())
        return processor.stored_frames(frames_THWC[chosen]), mel_MK

    def finish(
        self, upload: Upload, options: ClassificationOptions, output: _Said, notes: Notes
    ) -> Made:
        """The most probable classes, on the whole and over time."""
        del upload, notes
        seen, chances_WL = output.seen, output.chances_WL
        whole_L = chances_WL.mean(axis=0)
        named = np.argsort(-whole_L, kind="stable")[: options.top_k]
        over_time = [
            {
                "start_s": round(window.start_s, 3),
                "end_s": round(window.end_s, 3),
                "classes": self._said(chances_L, options.top_k),
            }
            for window, chances_L in zip(seen.windows, chances_WL, strict=True)
        ]
        document = {
            **({"warning": seen.warning} if seen.warning else {}),
            **({"multi_label": True} if self.classifier.config.multi_label else {}),
            "classes": self._said(whole_L, options.top_k),
            "window_s": round(max(one.end_s - one.start_s for one in seen.windows), 3),
            "over_time": over_time,
            "curves": {
                self.classes[n]: [round(float(chance), _DIGITS) for chance in chances_WL[:, n]]
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

    def _sound(self, upload: Upload, span_s: tuple[int, int] | None) -> np.ndarray | None:
        """The upload's sound, float32 (N,); None where it has none, or the model hears none.

        Args:
            upload: the video.
            span_s: the part that is wanted; None for all.
        """
        rate_hz, path = self.classifier.processor.sample_rate_hz, upload.folder / "samples"
        network = self.classifier.config.network
        if rate_hz is None or not network.hears:
            return None
        try:
            upload.run(write_samples, upload.path, path, rate_hz, self._limits, span_s)
        except MediaError as error:
            # What only hears has nothing to go by.
            if error.reason != Reason.NO_AUDIO or not network.sees:
                raise
            return None
        return np.fromfile(path, np.float32)

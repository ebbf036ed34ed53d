"""A trained model loaded for use: a video in, a curve and a table out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from s2s.media import VIDEO_TYPES, MediaLimits, map_frames, write_frames
from s2s.model_directory import WEIGHTS_FILE, load_weights, read_description
from s2s.tasks.contract import Made, MadeFile, Notes, Upload
from s2s.tasks.tone.network import ToneNetwork
from s2s.tasks.tone.processor import ToneProcessor
from s2s.tasks.values import Offer

__all__ = ["OFFER", "load"]


class ToneOptions(BaseModel):
    """Optional fields of the form."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    offset_db: float = Field(default=0.0, ge=-60, le=60, description="Added to the answer.")


OFFER = Offer(
    route="tones",
    title="How loud a video is",
    lead="Say how loud a silent video would be.",
    file_label="Video",
    action="Measure it",
    options=ToneOptions,
    types=VIDEO_TYPES,
)


class TonePredictor:
    """How loud videos are."""

    def __init__(self, folder: Path, limits: MediaLimits) -> None:
        description = read_description(folder, "tone")
        spec = description.spec
        side_px = int(description.config["side_px"])
        self._processor = ToneProcessor(spec.fps, spec.sample_rate_hz, side_px)
        self._network = ToneNetwork()
        load_weights(folder / WEIGHTS_FILE, self._network)
        self._limits = limits

    @torch.inference_mode()
    def loudness(self, seen_T3: np.ndarray) -> np.ndarray:
        """Loudness, float32 (T,) in dB."""
        return 10 * self._network(torch.from_numpy(seen_T3)[None])[0].numpy()

    def prepare(self, upload: Upload, options: ToneOptions, notes: Notes) -> np.ndarray:
        """How much moves in the video."""
        path, size = upload.folder / "frames", self._processor.frame_size
        with notes.step("decode"):
            upload.run(write_frames, upload.path, path, self._processor.fps, size, self._limits)
        return self._processor.seen(map_frames(path, size))

    def predict(self, batch: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """Curves of loudness."""
        return [self.loudness(seen_T3) for seen_T3 in batch]

    def finish(self, upload: Upload, options: ToneOptions, output: Any, notes: Notes) -> Made:
        """A table as a file, and the mean."""
        curve = output + options.offset_db
        table, mean = upload.folder / "curve.csv", upload.folder / "mean.txt"
        times_s = np.arange(len(curve)) / self._processor.fps
        lines = [f"{at:.2f},{value:.2f}" for at, value in zip(times_s, curve, strict=True)]
        table.write_text("\n".join(["seconds,decibels", *lines]) + "\n", encoding="utf-8")
        mean.write_text(f"{curve.mean():.2f}\n", encoding="utf-8")
        return Made(
            files=(
                MadeFile("curve", table, "text/csv", "_loudness.csv"),
                MadeFile("mean", mean, "text/plain", "_mean.txt"),
            ),
            document={"mean_db": round(float(curve.mean()), 3)},
        )


def load(folder: Path, limits: MediaLimits) -> TonePredictor:
    """Load a model directory."""
    return TonePredictor(folder, limits)

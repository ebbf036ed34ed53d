"""A small predictor of another task, that plugs into serving: labels over time, as JSON."""

import json
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from s2s.media import VIDEO_TYPES, MediaLimits, run_sandboxed, write_frames
from serving.models.contract import Made, Notes, ServedModel, Upload

_FPS, _SIZE = 5, (8, 8)


class BrightnessOptions(BaseModel):
    """Fields of its form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top: int = Field(default=1, ge=1, le=2, title="Top", description="Labels at each instant.")


class Brightness:
    """Says how bright a video is, five times a second."""

    def prepare(
        self,
        upload: Upload,
        options: BrightnessOptions,  # noqa: ARG002
        notes: Notes,
    ) -> np.ndarray:
        frames = upload.folder / "frames"
        limits = MediaLimits()
        with notes.step("decode"):
            work = (write_frames, upload.path, frames, _FPS, _SIZE, limits)
            run_sandboxed(*work, folder=upload.folder)
        return np.fromfile(frames, np.uint8).reshape(-1, *_SIZE, 3) / 255.0

    def predict(self, batch: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [frames.mean(axis=(1, 2, 3)) for frames in batch]

    def finish(
        self,
        upload: Upload,
        options: BrightnessOptions,
        output: np.ndarray,
        notes: Notes,  # noqa: ARG002
    ) -> Made:
        rows = []
        for index, bright in enumerate(output.tolist()):
            scores = sorted([(bright, "bright"), (1 - bright, "dark")], reverse=True)
            labels = [{"label": label, "score": score} for score, label in scores[: options.top]]
            rows.append({"at_s": index / _FPS, "labels": labels})
        path = upload.folder / "labels.json"
        path.write_text(json.dumps(rows, indent=1))
        return Made(path, "application/json", "_labels.json")


def brightness_model() -> ServedModel:
    """How it is offered."""
    return ServedModel(
        name="brightness",
        task="classification",
        route="classifications",
        title="How bright it is",
        options=BrightnessOptions,
        types=VIDEO_TYPES,
        load=Brightness,
    )

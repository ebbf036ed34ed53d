"""A small predictor of another task, that plugs into serving: labels over time, as JSON."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from s2s.media import VIDEO_TYPES, MediaLimits, write_frames
from s2s.tasks.contract import Made, Notes, Upload
from s2s.tasks.values import Offer
from serving.models.served import ServedModel

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
            upload.run(*work)
        return np.fromfile(frames, np.uint8).reshape(-1, *_SIZE, 3) / 255.0

    def predict(self, batch: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [frames.mean(axis=(1, 2, 3)) for frames in batch]

    def finish(
        self,
        upload: Upload,  # noqa: ARG002
        options: BrightnessOptions,
        output: np.ndarray,
        notes: Notes,  # noqa: ARG002
    ) -> Made:
        rows = []
        for index, bright in enumerate(output.tolist()):
            scores = sorted([(bright, "bright"), (1 - bright, "dark")], reverse=True)
            labels = [{"label": label, "score": score} for score, label in scores[: options.top]]
            rows.append({"at_s": index / _FPS, "labels": labels})
        return Made(document={"labels_over_time": rows})


def brightness_model(name: str = "brightness") -> ServedModel:
    """How it is offered."""
    offer = Offer(
        route="classifications",
        title="How bright it is",
        lead="Say how bright a video is, five times a second.",
        file_label="Video",
        action="Say how bright it is",
        options=BrightnessOptions,
        types=VIDEO_TYPES,
    )
    return ServedModel(name, "classification", offer, lambda _limits: Brightness())

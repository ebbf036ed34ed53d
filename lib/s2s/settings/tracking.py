"""The section `tracking`: trackers of trainings."""

from typing import Literal

from pydantic import Field

from s2s.settings.section import Section

__all__ = ["TrackingSettings"]


class TrackingSettings(Section):
    """Trackers of trainings, besides `metrics.csv`, which every model has.

    Attributes:
        trackers: MLflow writes into a local SQLite file, or to the server that
            MLFLOW_TRACKING_URI names; W&B into a local folder, or with WANDB_MODE=online to its
            servers.
        sample_every: steps from one set of sounds and spectrograms to the next; 0 for none.
        sample_clips: clips that they are drawn for.
        sample_s: seconds of each.
    """

    trackers: tuple[Literal["mlflow", "wandb"], ...] = ("mlflow",)
    sample_every: int = Field(default=1000, ge=0)
    sample_clips: int = Field(default=2, ge=1)
    sample_s: float = Field(default=5.0, gt=0)

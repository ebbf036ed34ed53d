"""The sections `training`, of which the rest is the task's own, and `tracking`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from s2s.settings.section import Section

__all__ = ["TrackingSettings", "TrainingSettings"]


class TrainingSettings(Section):
    """How a network is trained, whatever it learns.

    Attributes:
        batch_size: examples in a batch, of all devices of all nodes together.
        accumulate: each device takes its share of a batch in so many parts, one after another, to
            save memory.
        max_steps: optimizer steps: the budget, which the learning rate follows.
        max_minutes: a cap: training stops after this time, wherever it is, and reports say so;
            None for none.
        keep: which weights the model has: those of the last step, or those with the lowest loss on
            the val split; the last ones are then stored beside it, as `NAME.last.safetensors`.
        patience: validations, one every 100 steps, without a lower loss after which training stops;
            None for never.
        learning_rate: peak of the schedule.
        held_out_clips: test clips that the metrics are computed on, at most.
        accelerator: what Lightning trains on.
        devices: GPUs, or processes on a CPU, of each node; gradients are averaged over them.
        nodes: machines that train together; the same command is started on each.
        loaders: processes that read examples, for each device; None for 8 beside a GPU and none
            beside a CPU.
        compile: compile the network before training; None for only on a GPU.
        precision: of matrix products in training; `auto` is bfloat16 on a GPU and float32 on a CPU.
            CPUs that know bfloat16 (`avx512_bf16` or `amx_bf16` in /proc/cpuinfo) take two thirds
            of the time with it, others many times as long.
    """

    batch_size: int = Field(default=32, ge=1)
    accumulate: int = Field(default=1, ge=1)
    max_steps: int = Field(default=1000, ge=1)
    max_minutes: float | None = Field(default=None, gt=0)
    keep: Literal["last", "best"] = "last"
    patience: int | None = Field(default=None, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    held_out_clips: int = Field(default=32, ge=1)
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = Field(default=1, ge=1)
    nodes: int = Field(default=1, ge=1)
    loaders: int | None = Field(default=None, ge=0)
    compile: bool | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if self.batch_size % (self.n_processes * self.accumulate):
            on_nodes = f" of each of nodes {self.nodes}" if self.nodes > 1 else ""
            raise ValueError(
                f"batch_size {self.batch_size} must divide into accumulate {self.accumulate} parts "
                f"on each of devices {self.devices}{on_nodes}"
            )
        return self

    @property
    def n_processes(self) -> int:
        """Devices of all nodes."""
        return self.nodes * self.devices


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

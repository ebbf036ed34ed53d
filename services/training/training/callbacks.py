"""What happens beside the steps of a training: its budget, its curve, its checkpoints, its bar."""

import csv
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, Timer, WeightAveraging
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from s2s.logs import console
from s2s.stage import shared_bucket
from s2s.tasks.generation.settings import GenerationTrainingSettings, VocoderSettings

__all__ = ["Budget", "LearningCurve", "StoredCheckpoints", "TrainingBar", "WarmAveraging"]

_CHECKPOINT_EVERY_S = 60.0
_CURVE_EVERY_STEPS = 10
_CURVE_COLUMNS: list[str] = ["step", "seconds", "train_loss", "val_loss", "learning_rate"]
_EMA_DECAY = 0.999


class Budget(Timer):
    """The steps and the time that a training may take, those of earlier runs included.

    Args:
        settings: the section of what is trained.
    """

    def __init__(self, settings: GenerationTrainingSettings | VocoderSettings) -> None:
        minutes = settings.max_minutes
        super().__init__(None if minutes is None else timedelta(minutes=minutes), verbose=False)
        self._settings = settings

    def share_spent(self, step: int) -> float:
        """Share of the budget that is spent, 0..1: of its steps or its time, what is further."""
        share = step / self._settings.max_steps
        if self._settings.max_minutes is not None:
            share = max(share, self.time_elapsed() / (60 * self._settings.max_minutes))
        return min(1.0, share)


class WarmAveraging(WeightAveraging):
    """Exponential moving average of the weights; in short trainings it forgets the beginning."""

    def __init__(self) -> None:
        super().__init__(avg_fn=_average)


class LearningCurve(Callback):
    """Notes losses as training goes on; they travel with checkpoints.

    Args:
        budget: tells the time.
        path: where it is left at the end of a training, which may be another process's.

    Attributes:
        rows: step, seconds, and what was measured then of the other columns.
        steps: optimizer steps of the whole training.
        seconds: time of the whole training.
    """

    def __init__(self, budget: Budget, path: Path) -> None:
        self.rows: list[dict[str, float]] = []
        self.steps = 0
        self.seconds = 0.0
        self._budget = budget
        self._path = path

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Note every so many steps."""
        if trainer.global_step % _CURVE_EVERY_STEPS == 0 or trainer.global_step == 1:
            self._note(trainer, ("train_loss", "learning_rate"))

    def on_validation_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Note the loss on clips that are not trained on."""
        self._note(trainer, ("val_loss",))

    def on_fit_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Leave it where `read` finds it."""
        self.steps, self.seconds = trainer.global_step, self._budget.time_elapsed()
        if trainer.is_global_zero:
            found = {"rows": self.rows, "steps": self.steps, "seconds": self.seconds}
            self._path.write_text(json.dumps(found), encoding="utf-8")

    def read(self) -> None:
        """Take over what the training has left, in whichever process it ran."""
        found = json.loads(self._path.read_text(encoding="utf-8"))
        self.rows, self.steps, self.seconds = found["rows"], found["steps"], found["seconds"]

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From the checkpoint."""
        self.rows = list(state_dict["rows"])

    def write_csv(self, path: Path) -> None:
        """One line for each row."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _CURVE_COLUMNS, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)

    def _note(self, trainer: lightning.Trainer, names: tuple[str, ...]) -> None:
        measured = trainer.callback_metrics
        values = {name: measured[name].item() for name in names if name in measured}
        seconds = round(self._budget.time_elapsed(), 2)
        self.rows.append({"step": trainer.global_step, "seconds": seconds, **values})


class StoredCheckpoints(Callback):
    """Puts a checkpoint into the bucket now and then, where any machine can go on from it.

    Args:
        bucket_url: where to.
        key: its key; each takes the place of the one before.
        path: the same on this machine.
    """

    def __init__(self, bucket_url: str, key: str, path: Path) -> None:
        self._bucket_url = bucket_url
        self._key = key
        self._path = path
        self._last_s = time.monotonic()

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Store one when it is time."""
        is_due = time.monotonic() - self._last_s >= _CHECKPOINT_EVERY_S
        if trainer.world_size > 1:  # processes take part together, or wait for ever
            is_due = trainer.strategy.broadcast(is_due)
        if is_due:
            trainer.save_checkpoint(self._path, weights_only=False)
            if trainer.is_global_zero:
                shared_bucket(self._bucket_url).upload(self._path, self._key, overwrite=True)
            self._last_s = time.monotonic()


class TrainingBar(Callback):
    """Shows how far the budget is spent, with steps and losses.

    Args:
        budget: what is shown.
        name: what is trained.
    """

    def __init__(self, budget: Budget, name: str = "training") -> None:
        self._budget = budget
        self._name = name
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def on_train_start(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Show the bar, in one process only."""
        if trainer.is_global_zero:
            self._progress = Progress(
                TextColumn("{task.description:<18}"),
                BarColumn(),
                TextColumn("{task.fields[facts]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=console,
            )
            self._task = self._progress.add_task(self._name, total=1.0, facts="")
            self._progress.start()

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Move the bar."""
        if self._progress is None:
            return
        losses = (
            f"{name.replace('_', ' ')} {trainer.callback_metrics[name].item():.3f}"
            for name in ("train_loss", "val_loss")
            if name in trainer.callback_metrics
        )
        facts = ", ".join([f"step {trainer.global_step}", *losses])
        spent = self._budget.share_spent(trainer.global_step)
        self._progress.update(self._task, completed=spent, facts=facts)

    def teardown(self, *_args: Any, **_kwargs: Any) -> None:
        """Leave the bar as it is, however the training ends."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _average(
    averaged: torch.Tensor, current: torch.Tensor, count: torch.Tensor | int
) -> torch.Tensor:
    decay = min(_EMA_DECAY, (1 + int(count)) / (10 + int(count)))
    return torch.lerp(current, averaged, decay)

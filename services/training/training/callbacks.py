"""What happens beside the steps of a training: its budget, its curve, its checkpoints, its bar."""

import csv
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, Timer, WeightAveraging
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from s2s.logs import console
from s2s.settings import TrainingSettings
from s2s.storage import Bucket

__all__ = ["Budget", "LearningCurve", "StoredCheckpoints", "TrainingBar", "WarmAveraging"]

_CHECKPOINT_EVERY_S = 60.0
_CURVE_EVERY_STEPS = 10
_CURVE_COLUMNS: list[str] = ["step", "seconds", "train_loss", "val_loss", "learning_rate"]
_EMA_DECAY = 0.999


class Budget(Timer):
    """The steps and the time that a training may take, those of earlier runs included.

    Args:
        settings: the recipe's section.
    """

    def __init__(self, settings: TrainingSettings) -> None:
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

    Attributes:
        rows: step, seconds, and what was measured then of the other columns.
    """

    def __init__(self, budget: Budget) -> None:
        self.rows: list[dict[str, float]] = []
        self._budget = budget

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Note every so many steps."""
        if trainer.global_step % _CURVE_EVERY_STEPS == 0 or trainer.global_step == 1:
            self._note(trainer, ("train_loss", "learning_rate"))

    def on_validation_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Note the loss on clips that are not trained on."""
        self._note(trainer, ("val_loss",))

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
        bucket: where to.
        key: its key; each takes the place of the one before.
        path: the same on this machine.
    """

    def __init__(self, bucket: Bucket, key: str, path: Path) -> None:
        self._bucket = bucket
        self._key = key
        self._path = path
        self._last_s = time.monotonic()

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Store one when it is time."""
        if time.monotonic() - self._last_s >= _CHECKPOINT_EVERY_S:
            trainer.save_checkpoint(self._path, weights_only=False)
            self._bucket.upload(self._path, self._key, overwrite=True)
            self._last_s = time.monotonic()


class TrainingBar(Callback):
    """Shows how far the budget is spent, with steps and losses.

    Args:
        budget: what is shown.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._progress.add_task("training", total=1.0, facts="")

    def on_train_start(self, *_args: Any, **_kwargs: Any) -> None:
        """Show the bar."""
        self._progress.start()

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Move the bar."""
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
        self._progress.stop()


def _average(
    averaged: torch.Tensor, current: torch.Tensor, count: torch.Tensor | int
) -> torch.Tensor:
    decay = min(_EMA_DECAY, (1 + int(count)) / (10 + int(count)))
    return torch.lerp(current, averaged, decay)

"""Progress of a training: the steps and minutes that are used up, and a bar that shows them."""

import time
from datetime import timedelta
from typing import Any, Literal

import lightning
from lightning.pytorch.callbacks import Callback, Timer
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from s2s.logs import console
from s2s.settings import TrainingSettings

__all__ = ["Budget", "TrainingBar"]

_SHOWN_EVERY_S = 0.5
"""A look at the losses waits for the GPU."""


class Budget(Timer):
    """The steps and the time that a training may take, those of earlier runs included.

    Args:
        settings: of what is trained.

    Attributes:
        max_steps: the steps.
        is_patience_over: whether the training ends because it no longer gets better.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        minutes = settings.max_minutes
        super().__init__(None if minutes is None else timedelta(minutes=minutes), verbose=False)
        self.max_steps = settings.max_steps
        self.is_patience_over = False

    def stopped_by(self, steps: int) -> Literal["max_steps", "max_minutes", "patience"]:
        """The limit that ended a training after a number of steps."""
        if steps >= self.max_steps:
            return "max_steps"
        return "patience" if self.is_patience_over else "max_minutes"


class TrainingBar(Callback):
    """Shows the share of the budget that is used up, with steps and losses.

    Args:
        budget: what is shown.
        name: what is trained.
    """

    def __init__(self, budget: Budget, name: str) -> None:
        self._budget = budget
        self._name = name
        self._progress: Progress | None = None
        self._bar = TaskID(0)
        self._shown_s = 0.0

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
            self._bar = self._progress.add_task(
                f"training {self._name}", total=self._budget.max_steps, facts=""
            )
            self._progress.start()

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Move the bar."""
        is_last = trainer.global_step == self._budget.max_steps
        if self._progress is None or (
            time.monotonic() - self._shown_s < _SHOWN_EVERY_S and not is_last
        ):
            return
        losses = (
            f"{name.replace('_', ' ')} {trainer.callback_metrics[name].item():.3f}"
            for name in ("train_loss", "val_loss")
            if name in trainer.callback_metrics
        )
        facts = ", ".join([f"step {trainer.global_step}", *losses])
        self._progress.update(self._bar, completed=trainer.global_step, facts=facts)
        self._shown_s = time.monotonic()

    def teardown(self, *_args: Any, **_kwargs: Any) -> None:
        """Leave the bar as it is, however the training ends."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

"""Progress of a training: the steps and minutes that are used up, and a bar that shows them."""

import time
from datetime import timedelta
from typing import Any, Literal

import lightning
from lightning.pytorch.callbacks import Callback, Timer
from rich.progress import TaskID

from s2s.progress import Bars
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
    """Shows how many of the steps are done, with losses.

    Args:
        budget: what is shown.
        name: what is trained.
    """

    def __init__(self, budget: Budget, name: str) -> None:
        self._budget = budget
        self._name = name
        self._bars: Bars | None = None
        self._bar = TaskID(0)
        self._shown_s = 0.0

    def on_train_start(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Show the bar, in one process only."""
        if trainer.is_global_zero:
            self._bars = Bars()
            self._bar = self._bars.add_task(
                f"training {self._name}",
                total=self._budget.max_steps,
                completed=trainer.global_step,
                unit="steps",
            )
            self._bars.start()

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Move the bar."""
        is_last = trainer.global_step == self._budget.max_steps
        if self._bars is None or (
            time.monotonic() - self._shown_s < _SHOWN_EVERY_S and not is_last
        ):
            return
        losses = [
            f"{told} {trainer.callback_metrics[name].item():.3f}"
            for name, told in (("train_loss", "loss"), ("val_loss", "val"))
            if name in trainer.callback_metrics
        ]
        self._bars.update(self._bar, completed=trainer.global_step, facts=", ".join(losses))
        self._shown_s = time.monotonic()

    def on_exception(self, *_args: Any, **_kwargs: Any) -> None:
        """Leave the bar: nothing is torn down after an error."""
        self.teardown()

    def teardown(self, *_args: Any, **_kwargs: Any) -> None:
        """Leave the bar as it is, however the training ends."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

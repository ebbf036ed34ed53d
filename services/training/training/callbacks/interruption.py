"""Ctrl-C and SIGTERM end a training behind a whole step, which is stored."""

import signal
import threading
from collections.abc import Callable
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from training.callbacks.checkpoints import StoredCheckpoints

__all__ = ["StopsAtStep"]


class StopsAtStep(Callback):
    """Stores a checkpoint of the step that an interruption comes in, and lets it pass then.

    A second interruption passes at once. So does every one where several processes train: they
    store together, and who stops one does not wait for the others.

    Stands behind `StoredCheckpoints` in the list of callbacks.

    Args:
        checkpoints: stores them.
    """

    def __init__(self, checkpoints: StoredCheckpoints) -> None:
        self._checkpoints = checkpoints
        self._handlers: dict[int, Callable[..., Any]] = {}
        self._came: int | None = None

    def on_train_start(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Take over what is not ignored, or somebody else's outside Python."""
        if trainer.world_size > 1 or threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):
                self._handlers[number] = handler
                signal.signal(number, self._note)

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Store and stop, where a run could go on alike."""
        if self._came is not None and self._checkpoints.goes_on_alike(trainer):
            self._checkpoints.store(trainer)
            self._pass_on()

    def on_train_end(self, *_args: Any, **_kwargs: Any) -> None:
        """Stop, where no step came any more."""
        if self._came is not None:
            self._pass_on()
        self._give_back()

    def on_exception(self, *_args: Any, **_kwargs: Any) -> None:
        """Leave signals as they were: nothing is torn down after an error."""
        self._give_back()

    def _note(self, number: int, frame: Any) -> None:
        if self._came is not None:
            handler = self._handlers[number]
            self._give_back()
            handler(number, frame)
        self._came = number

    def _pass_on(self) -> None:
        came, handlers = self._came, dict(self._handlers)
        self._give_back()
        if came is not None:
            handlers[came](came, None)

    def _give_back(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()
        self._came = None

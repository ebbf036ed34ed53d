"""Checkpoints in the bucket, from which any machine goes on."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from s2s.errors import ObjectNotFoundError
from s2s.stage import shared_bucket

__all__ = ["StoredCheckpoints", "fetch_checkpoint", "told_of_checkpoint"]

log = logging.getLogger(__name__)

_AT_LEAST_EVERY_S = 60.0
_SHARE_OF_TIME = 0.02
_ASKED_EVERY_STEPS = 20
"""Steps after which several processes agree whether it is time."""


class StoredCheckpoints(Callback):
    """Stores a checkpoint in the bucket at intervals.

    Writing takes 2 % of the time at most: the longer the last one took, the later is the next.

    Args:
        bucket_url: where to.
        key: its key; each takes the place of the one before.
        path: the same on this machine.
        clock: seconds.
    """

    def __init__(
        self, bucket_url: str, key: str, path: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bucket_url = bucket_url
        self._key = key
        self._path = path
        self._clock = clock
        self._last_s = clock()
        self._interval_s = _AT_LEAST_EVERY_S

    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Store a checkpoint when it is due."""
        if self._is_due(trainer):
            self.store(trainer)

    def store(self, trainer: lightning.Trainer) -> None:
        """Store a checkpoint; to be called in every process."""
        started_s = self._clock()
        trainer.save_checkpoint(self._path, weights_only=False)
        if trainer.is_global_zero:
            shared_bucket(self._bucket_url).upload(self._path, self._key, overwrite=True)
            _step_path(self._path).write_text(str(trainer.global_step), encoding="utf-8")
        self._last_s = self._clock()
        taken_s = self._last_s - started_s
        self._interval_s = max(_AT_LEAST_EVERY_S, taken_s * (1 / _SHARE_OF_TIME - 1))

    def goes_on_alike(self, trainer: lightning.Trainer) -> bool:
        """Whether a run could go on from this step as an unbroken one."""
        step = trainer.global_step
        if step >= trainer.max_steps:
            return False  # what is left to do takes no time
        # A run that goes on from there would leave the validation out.
        return not trainer.enable_validation or step % int(trainer.val_check_batch or 1) != 0

    def _is_due(self, trainer: lightning.Trainer) -> bool:
        if not self.goes_on_alike(trainer):
            return False
        is_due = self._clock() - self._last_s >= self._interval_s
        if trainer.world_size > 1:  # processes take part together, or wait for ever
            if trainer.global_step % _ASKED_EVERY_STEPS != 1:
                return False
            is_due = trainer.strategy.broadcast(is_due)
        return is_due


def fetch_checkpoint(bucket_url: str, key: str, path: Path) -> Path | None:
    """Fetch what `StoredCheckpoints` has stored; None if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in (path, _step_path(path)):
        old.unlink(missing_ok=True)
    try:
        shared_bucket(bucket_url).download(key, path)
    except ObjectNotFoundError:
        return None
    step = torch.load(path, mmap=True, weights_only=True)["global_step"]
    log.warning("going on from the checkpoint %s, at step %s", key, step)
    return path


def told_of_checkpoint(path: Path) -> str:
    """Where a training goes on that was stopped; for people.

    Args:
        path: of its checkpoint on this machine, see `StoredCheckpoints`.
    """
    if _step_path(path).exists():
        return f"goes on from step {_step_path(path).read_text(encoding='utf-8')}"
    if path.exists():
        return "goes on from the checkpoint that this run went on from: no later one is stored"
    return "begins anew: no checkpoint is stored yet"


def _step_path(path: Path) -> Path:
    """Has the step of the newest checkpoint that a run has stored."""
    return path.with_suffix(".step")

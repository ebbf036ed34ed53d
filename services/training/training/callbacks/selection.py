"""Which weights a training leaves behind, and whether going on is worth it."""

from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from s2s.model_directory import save_weights
from s2s.settings import TrainingSettings
from training.callbacks.averaging import Averaging
from training.callbacks.progress import Budget

__all__ = ["Selection", "is_wanted"]


def is_wanted(settings: TrainingSettings) -> bool:
    """Whether weights of a training are compared as it goes on."""
    return settings.keep == "best" or settings.patience is not None


class Selection(Callback):
    """Compares the averaged weights at every validation.

    Stands behind `Averaging` in the list of callbacks. The best ones travel with checkpoints, so
    that a training that goes on elsewhere chooses and stops as an unbroken one.

    Args:
        settings: `keep`: which weights are left; `patience`: how many validations may pass without
            a lower loss.
        averaging: has the weights that are compared.
        budget: is told when patience is over.
        path: gets the weights of the last step, where others are kept.
    """

    def __init__(
        self, settings: TrainingSettings, averaging: Averaging, budget: Budget, path: Path
    ) -> None:
        self._settings = settings
        self._averaging = averaging
        self._budget = budget
        self._path = path
        self._best: dict[str, torch.Tensor] = {}
        self._lowest = float("inf")
        self._waited = 0

    def on_validation_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Keep the weights if they are the best so far; stop if none were for long."""
        loss = float(trainer.callback_metrics["val_loss"])
        self._waited += 1
        if loss < self._lowest:
            self._lowest, self._waited = loss, 0
            self._best = self._averaging.snapshot()
        if self._settings.patience is not None and self._waited >= self._settings.patience:
            self._budget.is_patience_over = True
            trainer.should_stop = True

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Leave the best weights in the network, and those of the last step in a file."""
        if self._settings.keep != "best" or not self._best:
            return
        if trainer.is_global_zero:
            save_weights(self._path, pl_module.network)
        pl_module.network.load_state_dict(self._best)

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"best": self._best, "lowest": self._lowest, "waited": self._waited}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From the checkpoint."""
        self._best = dict(state_dict["best"])
        self._lowest = state_dict["lowest"]
        self._waited = state_dict["waited"]

"""Averaged weights: validated during training, and exported at its end."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

__all__ = ["Averaging"]

_DECAY = 0.999


class Averaging(Callback):
    """An exponential moving average of the weights over the steps.

    In short trainings it forgets the beginning: after n steps the decay is (1 + n) / (10 + n), at
    most 0.999. Buffers, such as the statistics of batch normalisation and its counters, are those
    of the last step. Validation is of the averaged network, and in the end the network is that.

    Args:
        network: what is trained.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._averaged = copy.deepcopy(network).requires_grad_(requires_grad=False)

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        """Keep the average where the network is."""
        self._network = pl_module.network
        # Processes that were started with it share its memory.
        self._averaged = copy.deepcopy(self._averaged).to(pl_module.device)

    @torch.no_grad()
    def on_train_batch_end(self, trainer: lightning.Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Take a step into the average, in a few calls for all weights."""
        steps = trainer.global_step - 1
        update = get_ema_multi_avg_fn(min(_DECAY, (1 + steps) / (10 + steps)))
        update(list(self._averaged.parameters()), list(self._network.parameters()), steps)
        for averaged, current in zip(
            self._averaged.buffers(), self._network.buffers(), strict=True
        ):
            averaged.copy_(current)

    def on_validation_start(self, *_args: Any, **_kwargs: Any) -> None:
        """Validate the average."""
        self._swap()

    def on_validation_end(self, *_args: Any, **_kwargs: Any) -> None:
        """Go on with the weights of the last step."""
        self._swap()

    def on_fit_end(self, *_args: Any, **_kwargs: Any) -> None:
        """Leave the average, also where nothing was left to be done."""
        self._swap()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the network its averaged weights within a context."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def snapshot(self) -> dict[str, torch.Tensor]:
        """A copy of the averaged network's weights and buffers."""
        return {name: value.clone() for name, value in self._averaged.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"averaged": self._averaged.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore from a checkpoint."""
        self._averaged.load_state_dict(state_dict["averaged"])

    @torch.no_grad()
    def _swap(self) -> None:
        pairs = (
            (self._averaged.parameters(), self._network.parameters()),
            (self._averaged.buffers(), self._network.buffers()),
        )
        for ours, theirs in pairs:
            for averaged, current in zip(ours, theirs, strict=True):
                kept = averaged.clone()
                averaged.copy_(current)
                current.copy_(kept)

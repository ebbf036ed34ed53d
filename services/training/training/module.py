"""One Lightning module for whatever is trained: an objective says what its loss is."""

from collections.abc import Iterator, Sequence
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer

from s2s.tasks.common.chance import Chance
from s2s.tasks.common.optimizers import rate_share
from s2s.tasks.contract import Learner, Objective
from training.batches import HeldOutBatches, ResumableLoader, TrainingBatches, split_batch

__all__ = ["TrainingModule"]

_CLIP_NORM = 1.0
"""Gradients of a group of parameters are no longer than this."""
_GPU_WORKERS = 8
"""Processes that read for a GPU, unless the recipe says how many."""
_PEAK = "initial_lr"
"""Where a group of parameters keeps the peak of its learning rate, as torch's schedules do."""


class TrainingModule(lightning.LightningModule):
    """Takes an objective's steps: forward, back, clip, and a step of every optimizer.

    Args:
        objective: what is trained.
    """

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.automatic_optimization = False  # several optimizers share a backward pass
        self.objective = objective
        self.network = objective.network
        adversary = objective.adversary
        self.adversary = None if adversary is None else adversary.network
        self._data = objective.datasets()
        self._n_own = 0
        self._held_out = HeldOutBatches(objective.settings.batch_size, 0)

    @property
    def is_validated(self) -> bool:
        """Whether there is anything to validate on."""
        return "val" in self._data

    def on_fit_start(self) -> None:
        """Compile the network where that is wanted."""
        wanted = self.objective.settings.compile
        if self.device.type == "cuda" if wanted is None else wanted:
            self.network.compile()

    def train_dataloader(self) -> ResumableLoader:
        """Batches from the step on where the training is."""
        settings = self.objective.settings
        batches = TrainingBatches(
            settings.batch_size, settings.max_steps, self.global_step, *self._place
        )
        return self._loader("train", batches)

    def val_dataloader(self) -> ResumableLoader | list[Any]:
        """All of `val`, where there is any."""
        if not self.is_validated:
            return []
        n_examples = len(self._data["val"])  # pyright: ignore[reportArgumentType] - it has a length
        batch_size = self.objective.settings.batch_size
        self._held_out = HeldOutBatches(batch_size, n_examples, *self._place)
        return self._loader("val", self._held_out)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Those of the network, then those of its adversary."""
        optimizers = list(self.objective.optimizers())
        self._n_own = len(optimizers)
        if self.objective.adversary is not None:
            optimizers += self.objective.adversary.optimizers()
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group[_PEAK] = group["lr"]
        return optimizers

    def training_step(self, batch: Any, _index: int) -> torch.Tensor:
        """A step of the adversary, where there is one, then one of the network."""
        step, settings = self.global_step, self.objective.settings
        # Whatever layers draw of torch's own chance, such as dropout, follows from the step too.
        torch.manual_seed(_mixed(self.objective.seed, step, self.global_rank))
        share = rate_share(step, settings.max_steps)
        found = self.optimizers()
        listed = found if isinstance(found, list) else [found]
        own, others = listed[: self._n_own], listed[self._n_own :]
        parts = list(self._parts(batch, step))
        if self.objective.adversary is not None:
            self._learn(self.objective.adversary, parts)
            self._step(others, share, is_counted=False)
        loss = self._learn(self.objective, parts)
        self._step(own, share, is_counted=True)
        self.log("train_loss", loss, sync_dist=self.trainer.world_size > 1)
        self.log("learning_rate", own[0].optimizer.param_groups[0]["lr"])
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        """The loss with the same chance every time, so that it can be compared."""
        examples = self._held_out.examples(index)
        chance = Chance(self.objective.seed, examples, self.device)
        loss = self.objective.validation_loss(batch, chance)
        several = self.trainer.world_size > 1
        self.log("val_loss", loss, batch_size=len(examples), sync_dist=several)

    @property
    def _place(self) -> tuple[int, int]:
        """Which process this is, and of how many."""
        return self.global_rank, self.trainer.world_size

    def _loader(self, name: str, batches: TrainingBatches | HeldOutBatches) -> ResumableLoader:
        on_gpu, workers = self.device.type == "cuda", self.objective.settings.loaders
        if workers is None:
            workers = _GPU_WORKERS if on_gpu else 0
        return ResumableLoader(self._data[name], batches, workers, pin_memory=on_gpu)

    def _parts(self, batch: Any, step: int) -> Iterator[tuple[Any, range]]:
        """A batch in the parts that memory holds, and the numbers of their examples."""
        settings = self.objective.settings
        examples = TrainingBatches(
            settings.batch_size, settings.max_steps, 0, *self._place
        ).examples(step)
        size = len(examples) // settings.accumulate
        for n, part in enumerate(split_batch(batch, settings.accumulate)):
            yield part, examples[n * size : (n + 1) * size]

    def _learn(self, learner: Learner, parts: Sequence[tuple[Any, range]]) -> torch.Tensor:
        """Gradients of a learner's loss over a batch."""
        self.zero_grad()
        losses = []
        for part, examples in parts:
            chance = Chance(self.objective.seed, examples, self.device)
            loss = learner.loss(part, chance)
            self.manual_backward(loss / len(parts))
            losses.append(loss.detach())
        for group in learner.clip_groups():
            torch.nn.utils.clip_grad_norm_(group, _CLIP_NORM)
        return torch.stack(losses).mean()

    def _step(
        self, optimizers: Sequence[LightningOptimizer], share: float, *, is_counted: bool
    ) -> None:
        for n, optimizer in enumerate(optimizers):
            for group in optimizer.optimizer.param_groups:
                group["lr"] = share * group[_PEAK]
            if is_counted and n == 0:
                optimizer.step()
            else:  # past Lightning, which would count it as a step of its own
                optimizer.optimizer.step()


def _mixed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)

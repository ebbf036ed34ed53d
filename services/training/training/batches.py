"""Which examples each process gets in each step: it follows from the step alone."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

__all__ = ["HeldOutBatches", "ResumableLoader", "TrainingBatches", "split_batch"]


@dataclass(frozen=True)
class TrainingBatches(Sampler[list[int]]):
    """The batches of a training from some step on, or a process's part of each.

    Step n takes the examples n * `batch_size` and following. So a training that goes on reads on
    where it was, and several processes read together what one would read.

    Attributes:
        batch_size: examples in a batch of all processes.
        n_steps: steps of the whole training.
        first_step: the first that is taken.
        rank: which process.
        world_size: how many processes.
    """

    batch_size: int
    n_steps: int
    first_step: int = 0
    rank: int = 0
    world_size: int = 1

    def __iter__(self) -> Iterator[list[int]]:
        return (list(self.examples(step)) for step in range(self.first_step, self.n_steps))

    def __len__(self) -> int:
        # Of the whole training: Lightning counts those that earlier runs have taken too.
        return self.n_steps

    def examples(self, step: int) -> range:
        """Numbers of the examples that this process takes in a step."""
        share = self.batch_size // self.world_size
        first = step * self.batch_size + self.rank * share
        return range(first, first + share)


@dataclass(frozen=True)
class HeldOutBatches(Sampler[list[int]]):
    """Every example once, in turn over the processes.

    Attributes:
        batch_size: examples in a batch of all processes.
        n_examples: how many there are.
        rank: which process.
        world_size: how many processes. All have as many examples: the last may be taken twice.
    """

    batch_size: int
    n_examples: int
    rank: int = 0
    world_size: int = 1

    def __iter__(self) -> Iterator[list[int]]:
        return (list(self.examples(batch)) for batch in range(len(self)))

    def __len__(self) -> int:
        return math.ceil(math.ceil(self.n_examples / self.world_size) / self._share)

    def examples(self, batch: int) -> Sequence[int]:
        """Numbers of the examples in a batch."""
        of_all = range(math.ceil(self.n_examples / self.world_size) * self.world_size)
        mine = of_all[self.rank :: self.world_size][batch * self._share : (batch + 1) * self._share]
        return [number % self.n_examples for number in mine]

    @property
    def _share(self) -> int:
        return self.batch_size // self.world_size


class ResumableLoader(DataLoader[Any]):
    """Reads batches; the step where a training goes on says which, so there is no other state.

    Args:
        data: where examples are read.
        batches: which.
        workers: processes that read; 0 for this one.
        pin_memory: batches are put where a GPU copies them from quickly.
    """

    def __init__(
        self,
        data: Dataset[Any],
        batches: TrainingBatches | HeldOutBatches,
        workers: int,
        *,
        pin_memory: bool,
    ) -> None:
        super().__init__(
            data,
            batch_sampler=batches,
            num_workers=workers,
            pin_memory=pin_memory,
            persistent_workers=workers > 0,
        )
        self.batches = batches

    def state_dict(self) -> dict[str, Any]:
        """Nothing, see above; that there is one tells Lightning that reading can go on."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing to do, see `state_dict`."""


def split_batch(batch: Any, n_parts: int) -> list[Any]:
    """Parts of a batch, each of as many examples, however its tensors are nested."""
    if isinstance(batch, torch.Tensor):
        return list(batch.chunk(n_parts))
    if isinstance(batch, dict):
        parts = {name: split_batch(value, n_parts) for name, value in batch.items()}
        return [{name: parts[name][n] for name in batch} for n in range(n_parts)]
    if isinstance(batch, tuple | list):
        return list(zip(*(split_batch(value, n_parts) for value in batch), strict=True))
    raise TypeError(f"a batch holds tensors, dicts, tuples and lists of them, not {type(batch)}")

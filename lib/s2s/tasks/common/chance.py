"""Random numbers that follow from a seed and an example's number alone.

However a batch is split, into parts or over devices, and wherever a training goes on, an example
gets the same numbers.

Legend: B examples.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

__all__ = ["Chance", "seeded"]


class Chance:
    """Random numbers for every example of a batch.

    Args:
        seed: the training's.
        examples: their numbers in the training.
        device: where the numbers are needed. Those of a GPU are others than those of a CPU.
    """

    def __init__(
        self, seed: int, examples: Sequence[int], device: torch.device | str = "cpu"
    ) -> None:
        self._device = torch.device(device)
        self._generators = [
            torch.Generator(self._device).manual_seed(_mixed(seed, example)) for example in examples
        ]

    def normal(self, *shape: int) -> torch.Tensor:
        """Normally distributed, (B, *shape)."""
        return self._stack(
            lambda generator: torch.randn(shape, generator=generator, device=self._device)
        )

    def uniform(self, *shape: int) -> torch.Tensor:
        """In 0..1, (B, *shape)."""
        return self._stack(
            lambda generator: torch.rand(shape, generator=generator, device=self._device)
        )

    def integers(self, below: int, *shape: int) -> torch.Tensor:
        """In 0..below - 1, (B, *shape)."""
        return self._stack(
            lambda generator: torch.randint(below, shape, generator=generator, device=self._device)
        )

    def _stack(self, draw: Callable[[torch.Generator], torch.Tensor]) -> torch.Tensor:
        return torch.stack([draw(generator) for generator in self._generators])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's random numbers within a context; its state outside is left as it was.

    Args:
        seed: such as a recipe's, for a network's first weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _mixed(seed: int, example: int) -> int:
    """A seed that has nothing in common with the one of the next example."""
    return int(np.random.SeedSequence((seed, example)).generate_state(1, np.uint64)[0] >> 1)

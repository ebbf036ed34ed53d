"""The contract of an engine."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

__all__ = ["Engine", "Room", "WorkerDiedError"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class WorkerDiedError(Exception):
    """The process that worked on an item died (out of memory, a crash in a codec)."""


@dataclass(frozen=True)
class Room:
    """The workers and machines that an engine has at this moment.

    Attributes:
        workers: items worked on at a time.
        nodes: machines.
    """

    workers: int
    nodes: int = 1


class Engine(Protocol):
    """Maps one function over items."""

    @property
    def room(self) -> Room:
        """Workers and machines; of a cluster it changes while a map runs."""
        ...

    def map(
        self, function: Callable[[ItemT], ResultT], items: Iterable[ItemT]
    ) -> Iterator[tuple[ItemT, ResultT | WorkerDiedError]]:
        """Yield each item with its result, as they are ready.

        An item whose worker died comes with a `WorkerDiedError`; the others go on. What the
        function raises is raised here, after which the map is over. Items are taken as they are
        needed.
        """
        ...

"""The contract of an engine, and the choice of one."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from s2s.errors import SettingsError

__all__ = ["Engine", "WorkerDiedError", "make_engine"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class WorkerDiedError(Exception):
    """The process that worked on an item died (out of memory, a crash in a codec)."""


class Engine(Protocol):
    """Maps one function over items."""

    def map(
        self, function: Callable[[ItemT], ResultT], items: Iterable[ItemT]
    ) -> Iterator[tuple[ItemT, ResultT | WorkerDiedError]]:
        """Yield each item with its result, as they are ready.

        An item whose worker died comes with a `WorkerDiedError`; the others go on. What the
        function raises is raised here, after which the map is over. Items are taken as they are
        needed.
        """
        ...


def make_engine(name: str, workers: int, *, threads: bool = False, sessions: int = 1) -> Engine:
    """Make an engine.

    Args:
        name: "local" or "ray".
        workers: items worked on at a time.
        threads: the function waits more than it computes, so threads will do ("local" only).
        sessions: processes, each with `workers` threads ("local" only).

    Raises:
        SettingsError: for an unknown name, or for Ray where it is not installed.
    """
    if name == "local":
        from s2s.engine.local import ProcessEngine, SessionEngine, ThreadEngine  # noqa: PLC0415

        if threads and sessions > 1:
            return SessionEngine(sessions, workers)
        return ThreadEngine(workers) if threads else ProcessEngine(workers)
    if name == "ray":
        try:
            from s2s.engine.ray import RayEngine  # noqa: PLC0415 - optional, slow to import
        except ImportError as error:
            raise SettingsError(
                "engine ray: Ray is not installed here. Install it with 'pip install ray', "
                "or choose the engine local"
            ) from error
        return RayEngine(workers)
    raise SettingsError(f"engine {name!r}: use local or ray")

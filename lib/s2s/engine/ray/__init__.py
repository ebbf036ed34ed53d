"""Ray: the same map over a cluster's machines."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from s2s.engine.contract import Room, WorkerDiedError
from s2s.engine.ray.cluster import Share, join_cluster
from s2s.engine.ray.pool import Member, Pool
from s2s.engine.ray.shipping import packages_of

__all__ = ["RayEngine"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class RayEngine:
    """Ray actors; joins the cluster of RAY_ADDRESS, or starts one on this machine.

    They are started for the first map, and kept for those that follow.

    Args:
        workers: actors, at most; None for as many as the cluster has room for, which is looked at
            again every few seconds.
        threads: items that an actor works on at a time.
        gpus: share of a GPU that an actor has; None for a whole one where the cluster has any.

    Raises:
        SettingsError: if there is no cluster, or none of its nodes has such a share.
    """

    def __init__(
        self, workers: int | None = None, *, threads: int = 1, gpus: float | None = 0.0
    ) -> None:
        self.workers = workers
        self.threads = threads
        self._cluster = join_cluster(frozenset({"s2s"}))
        if gpus is None:
            gpus = 1.0 if self._cluster.has_gpu else 0.0
        self._share = Share(1.0, gpus)
        if gpus:
            self._cluster.check_gpus(self._share)
        self._kept: list[Member] = []

    @property
    def room(self) -> Room:
        """See `Engine.room`."""
        found = self._cluster.room(self._share)
        workers = min(self.workers or found.workers, found.workers)
        return Room(workers * self.threads, min(found.nodes, workers))

    def map(
        self, function: Callable[[ItemT], ResultT], items: Iterable[ItemT]
    ) -> Iterator[tuple[ItemT, ResultT | WorkerDiedError]]:
        """See `Engine.map`; the function and its items travel between machines."""
        cluster = join_cluster(packages_of(function))
        if cluster.number != self._cluster.number:
            self._kept = []  # they ended with the cluster that was left
            self._cluster = cluster
        pool = Pool(cluster, function, self._share, self.threads, self.workers, self._kept)
        yield from pool.map(items)

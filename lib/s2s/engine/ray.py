"""Ray: the same map over a cluster's machines."""

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError, WorkerCrashedError

from s2s.engine.base import WorkerDiedError
from s2s.errors import StageError

__all__ = ["RayEngine"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class RayEngine:
    """Ray tasks; joins the cluster of RAY_ADDRESS, or starts one on this machine.

    Args:
        workers: tasks submitted at a time, beyond what the cluster works on.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        if not ray.is_initialized():
            ray.init(
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.WARNING,
                configure_logging=False,
            )

    def map(
        self, function: Callable[[ItemT], ResultT], items: Iterable[ItemT]
    ) -> Iterator[tuple[ItemT, ResultT | WorkerDiedError]]:
        """See `Engine.map`."""
        remote = ray.remote(max_retries=0)(_as_function(function))
        source = iter(items)
        running: dict[Any, ItemT] = {}
        try:
            while True:
                for item in islice(source, 2 * self.workers - len(running)):
                    running[remote.remote(item)] = item
                if not running:
                    return
                finished, _ = ray.wait(list(running), num_returns=1)
                for reference in finished:
                    item = running.pop(reference)
                    yield item, _result(reference)
        finally:
            for reference in running:
                ray.cancel(reference)


def _result(reference: Any) -> Any:
    try:
        return ray.get(reference)
    except WorkerCrashedError as error:
        return WorkerDiedError(f"the Ray worker died ({error})")
    except RayTaskError as error:
        raise error.cause if error.cause is not None else error from error
    except RayError as error:
        raise StageError(f"Ray: {error}. Check the cluster and run again") from error


def _as_function(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    # Ray takes functions alone, not the partial ones that stages map.
    def call(item: Any) -> Any:
        return function(item)

    return call

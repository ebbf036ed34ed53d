"""What Ray says of workers that are gone: what it means for what they had, and for the run."""

from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    WorkerCrashedError,
)

from s2s.errors import StageError

__all__ = ["LOSSES", "is_node_loss", "is_short_of_memory", "lacking", "told"]

LOSSES = (RayActorError, WorkerCrashedError, OutOfMemoryError, NodeDiedError, ObjectLostError)
"""Errors of a chunk, or of a start, whose worker, or whose node, is gone."""
_TOLD_CHARACTERS = 200


def is_node_loss(error: RayError) -> bool:
    """Whether the whole node is known to be gone, and not this worker alone."""
    return isinstance(error, NodeDiedError)


def is_short_of_memory(error: RayError) -> bool:
    """Whether Ray's memory monitor has ended the worker.

    It takes the one that began last, and not the one that takes most.
    """
    return isinstance(error, OutOfMemoryError)


def lacking(error: Exception) -> StageError:
    """The error of a worker that cannot load what the stage is made of."""
    line = told(error) if isinstance(error, RayError) else str(error).partition("\n")[0]
    return StageError(
        "Ray: a worker cannot start: the cluster's Python lacks what the stage needs (its "
        f"service's requirements.txt, or its image): {line}"
    )


def told(error: RayError) -> str:
    """One line of an error of Ray, which has many."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [repr(error)]
    line = lines[0] if is_short_of_memory(error) else lines[-1]
    return f"{type(error).__name__}: {line[:_TOLD_CHARACTERS]}"

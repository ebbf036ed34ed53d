"""One attempt at one item or more: whatever happens becomes their outcomes."""

import errno
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from s2s.errors import BucketUnavailableError, MediaError, StageError, StorageError
from s2s.reasons import Reason, Status
from s2s.records import Outcome

__all__ = ["Batch", "attempt", "failed"]

log = logging.getLogger(__name__)
Batch = list[tuple[str, Any]]
"""Items with their names."""


def attempt(function: Callable[[Any], Any], batch: Batch, *, is_batch: bool) -> list[Outcome]:
    """Work on items, one or those that belong together; an outcome for each.

    Raises:
        BucketUnavailableError: if the bucket stops answering: no other item could go on.
        StageError: if this machine's disk is full, or the function says that none can go on.
    """
    started = time.monotonic()
    results: Sequence[Outcome | Exception]
    try:
        results = function([item for _, item in batch]) if is_batch else [function(batch[0][1])]
    except (BucketUnavailableError, StageError):
        raise
    except Exception as error:  # noqa: BLE001 - one bad clip never stops a run
        results = [error] * len(batch)
    seconds = round((time.monotonic() - started) / len(batch), 4)
    return [
        _settled(name, result).model_copy(update={"seconds": seconds})
        for (name, _), result in zip(batch, results, strict=True)
    ]


def _settled(name: str, result: Outcome | Exception) -> Outcome:
    match result:
        case Outcome():
            return result
        case MediaError():
            return failed(name, Reason(result.reason), result.message)
        case StorageError():
            return failed(name, Reason.CORRUPT, str(result))
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            raise StageError(
                f"this machine's disk is full ({result.filename or name}). Nothing stored was "
                "lost: free some space, or choose another --work-dir (S2S_HOME), and run again"
            ) from result
    return _unexpected(name, result)


def _unexpected(name: str, error: Exception) -> Outcome:
    log.warning("%s: unexpected error", name, exc_info=error)
    return failed(name, Reason.UNKNOWN, f"{type(error).__name__}: {error}")


def failed(name: str, reason: Reason, message: str) -> Outcome:
    """The outcome of an item that failed."""
    return Outcome(clip_id=name, status=Status.FAILED, reason=reason, message=message)

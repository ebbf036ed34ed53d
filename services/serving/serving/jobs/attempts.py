"""Work in the background that is tried again until it is done, and what the log says of it."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable

from s2s.errors import S2SError
from serving.jobs.database import DatabaseUnavailableError

__all__ = ["Attempts", "log_end"]

log = logging.getLogger(__name__)

# What happens to machines; anything else is a mistake, and is logged with its place.
_FORESEEN = (OSError, sqlite3.Error, DatabaseUnavailableError, S2SError)


class Attempts:
    """Tries pieces of work; says once what keeps one from being done, and once that it is over."""

    def __init__(self) -> None:
        self._failing: dict[str, str] = {}

    @property
    def are_failing(self) -> bool:
        """Whether some kind of work could not be done when it was last tried."""
        return bool(self._failing)

    async def has_done(
        self, kind: str, work: Callable[[], Awaitable[None]], retry_s: float
    ) -> bool:
        """Do a piece of work; False, after a while, if this machine did not let us.

        Args:
            kind: what it is, in a word or two; pieces of one kind fail and succeed together.
            work: does it.
            retry_s: seconds to wait after a failure.
        """
        try:
            await work()
        except Exception as error:  # such as a disk without room for the store
            if self._failing.get(kind) != str(error):
                place = None if isinstance(error, _FORESEEN) else error
                message = "%s cannot be done, and is tried again every %g s: %s"
                log.error(message, kind, retry_s, error, exc_info=place)
            self._failing[kind] = str(error)
            await asyncio.sleep(retry_s)
            return False
        if self._failing.pop(kind, None) is not None:
            log.warning("%s: done again", kind)
        return True


def log_end(task: asyncio.Task[None]) -> None:
    """Say that a task in the background has ended, as none does by itself."""
    if not task.cancelled():
        log.critical("%s: ended; nothing more is done", task.get_name(), exc_info=task.exception())

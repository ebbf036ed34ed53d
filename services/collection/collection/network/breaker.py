"""Stopping politely when a site has had enough of us, instead of burning the list."""

import math
import threading
from functools import lru_cache
from pathlib import Path

from s2s.reasons import Reason

__all__ = ["BLOCKS", "Breaker", "session_breaker"]

BLOCKS = {Reason.BOT_CHECK, Reason.RATE_LIMITED, Reason.FORBIDDEN}
# What YouTube names in its own message.
_USUAL_WAIT_S = 3600.0


class Breaker:
    """Counts refused requests in a row; a session has one, and all its threads share it.

    Args:
        limit: so many in a row open it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._wait_s = 0.0
        self._reason: Reason | None = None

    @property
    def reason(self) -> Reason | None:
        """Why the session stopped; None as long as it may go on."""
        return self._reason

    @property
    def message(self) -> str:
        """Why it stopped, when to go on, and what helps."""
        minutes = math.ceil((self._wait_s or _USUAL_WAIT_S) / 60)
        return (
            f"the site refused {self._limit} requests in a row ({self._reason}), so no more are "
            f"sent. Wait about {minutes} minutes and run again. What helps if it goes on: a larger "
            "collection.sleep_s, fewer collection.workers, a collection.cookies_file, another "
            "collection.proxy, a newer yt-dlp"
        )

    def report(self, reason: Reason | None, wait_s: float | None = None) -> None:
        """Say how a request ended.

        Args:
            reason: why it failed; None if it did not.
            wait_s: how long the site asks us to wait, if it says so.
        """
        with self._lock:
            if reason in BLOCKS:
                self._in_a_row += 1
                self._wait_s = max(self._wait_s, wait_s or 0.0)
                if self._in_a_row >= self._limit:
                    self._reason = self._reason or reason
            elif reason is None or not reason.is_transient:
                # The site has answered, if only that a video is gone.
                self._in_a_row = 0


@lru_cache(maxsize=4)
def session_breaker(folder: Path, limit: int) -> Breaker:
    """This process's breaker of a run.

    Args:
        folder: the run's directory for temporary files, which no other run has.
        limit: refused requests in a row that open it.
    """
    del folder
    return Breaker(limit)

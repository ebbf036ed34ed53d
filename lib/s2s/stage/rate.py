"""The rate of a fan-out, and the rate that its workers allow."""

import time
from dataclasses import dataclass, field

from s2s.engine import Room
from s2s.logs import counted

__all__ = ["Rate"]

_EVERY_S = 2.0
"""Interval at which the rate is shown; a cluster has to be asked for its nodes."""


@dataclass
class Rate:
    """Items a second, beside what the workers would do if nothing ever made them wait.

    Attributes:
        started_s: when the first item was taken, of a monotonic clock.
        n_done: items that have come back.
        work_s: seconds that workers were at them.
    """

    started_s: float = field(default_factory=time.monotonic)
    n_done: int = 0
    work_s: float = 0.0
    _told_s: float = -_EVERY_S

    def add(self, seconds: float) -> None:
        """Take in an item that has come back, and the seconds that a worker was at it."""
        self.n_done += 1
        self.work_s += seconds

    @property
    def is_due(self) -> bool:
        """Whether the rate is due to be shown again."""
        now_s = time.monotonic()
        if now_s - self._told_s < _EVERY_S:
            return False
        self._told_s = now_s
        return True

    def told(self, room: Room, now_s: float | None = None) -> str:
        """Machines, the rate and its ceiling, as in `2 nodes, 11.8/s, max 12.4`.

        The ceiling is workers over the mean seconds of an item: what the work itself allows, the
        slowest part of any fan-out whose workers are never kept waiting. Empty before the first
        item.
        """
        passed_s = (now_s if now_s is not None else time.monotonic()) - self.started_s
        if not self.n_done or passed_s <= 0 or self.work_s <= 0:
            return ""
        ceiling = room.workers * self.n_done / self.work_s
        nodes = counted(room.nodes, "node")
        return f"{nodes}, {_short(self.n_done / passed_s)}/s, max {_short(ceiling)}"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 1 else f"{number:.2g}"

"""A bound for the memory of all sandboxes together, as each has only a bound of its own."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["MemoryBudget", "machine_memory_bytes"]

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class MemoryBudget:
    """A number of bytes that pieces of work reserve for their worst case; others wait for theirs.

    Args:
        total_bytes: most that is reserved at a time. Work that needs more runs alone.
    """

    def __init__(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, wanted_bytes: int) -> Iterator[None]:
        """Hold bytes while a piece of work is done; waits until they are free."""
        wanted = min(wanted_bytes, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._held + wanted <= self._total)
            self._held += wanted
        try:
            yield
        finally:
            with self._changed:
                self._held -= wanted
                self._changed.notify_all()


def machine_memory_bytes() -> int:
    """Memory of this machine, or of the container that this process is in."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in map(Path, _CGROUP_LIMITS):
        with suppress(OSError, ValueError):  # there is none, or it says "max"
            limits.append(int(path.read_text()))
    return min(limits)

"""Whether other nodes are still there: each gives a sign every other second."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch.distributed import DistError, Store  # pyright: ignore[reportPrivateImportUsage]

from s2s.errors import StageError
from s2s.stage.node import Node

__all__ = ["Watch"]

_SIGN_EVERY_S = 2.0
_SILENT_S = 60.0
"""A node without a sign for so long is given up."""


class Watch:
    """Gives this node's signs and looks for those of others.

    The first node looks for all others, and they for it. A thread talks to the store, which may
    take for ever where a network is cut; another one looks at the clock.

    Args:
        node: this machine's place.
        store: the first node's store.

    Attributes:
        ends: how nodes that have ended did: empty for well, else what they said.
        lost: which node ended too soon, how, and what to do; None while all are there.
    """

    def __init__(self, node: Node, store: Store) -> None:
        self.ends: dict[int, str] = {}
        self.lost: str | None = None
        self._node = node
        self._store = store
        self._stop: Callable[[], None] | None = None
        self._heard_s: dict[int, float] = {}
        self._signs: dict[int, bytes] = {}
        self._is_over = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._talk, self._look)
        ]

    def start(self) -> None:
        """Begin."""
        ranks = range(1, self._node.count) if self._node.is_first else [0]
        self._heard_s = dict.fromkeys(ranks, time.monotonic())
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; a thread that waits for an answer ends with the process."""
        self._is_over.set()
        for thread in self._threads:
            thread.join(timeout=2 * _SIGN_EVERY_S)

    def check(self) -> None:
        """Make sure that all are there.

        Raises:
            StageError: if one has ended.
        """
        if self.lost is not None:
            raise StageError(self.lost)

    def lose(self, told: str) -> str:
        """Note that a node has ended; what is told of the first that has."""
        if self.lost is None:
            self.lost = (
                f"{self._node}: {told}. See its log, and start the same command again on every "
                "node; it goes on from the last checkpoint"
            )
        return self.lost

    def wait_for_loss(self) -> None:
        """Wait for as long as it may take until it is known who has ended."""
        until_s = time.monotonic() + _SILENT_S + 2 * _SIGN_EVERY_S
        while self.lost is None and time.monotonic() < until_s:
            time.sleep(_SIGN_EVERY_S / 4)

    @contextmanager
    def guarding(self, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop`, again and again, where a node ends within the context."""
        self.check()
        self._stop = stop
        try:
            yield
        finally:
            self._stop = None

    def say_end(self, failure: str) -> None:
        """Say how this node ended; empty for well."""
        self._store.set(_end(self._node.rank), failure)

    def anybody_left(self) -> bool:
        """Whether a node that gave a sign lately has not said yet how it ended."""
        now_s = time.monotonic()
        return any(
            now_s - heard_s < 5 * _SIGN_EVERY_S and rank not in self.ends
            for rank, heard_s in self._heard_s.items()
        )

    def _talk(self) -> None:
        sign = 0
        while not self._is_over.wait(_SIGN_EVERY_S if sign else 0):
            sign += 1
            try:
                self._store.set(_sign(self._node.rank), str(sign))
                for rank in self._heard_s:
                    self._hear(rank)
            except DistError:
                if not self._is_over.is_set():
                    self.lose("node 0 is gone")
                return

    def _hear(self, rank: int) -> None:
        if self._store.check([_end(rank)]):
            self.ends[rank] = self._store.get(_end(rank)).decode()
            if self.ends[rank]:
                self.lose(f"node {rank} failed: {self.ends[rank]}")
        if self._store.check([_sign(rank)]):
            sign = self._store.get(_sign(rank))
            if sign != self._signs.get(rank):
                self._signs[rank] = sign
                self._heard_s[rank] = time.monotonic()

    def _look(self) -> None:
        while not self._is_over.wait(_SIGN_EVERY_S / 2):
            for rank, heard_s in self._heard_s.items():
                if rank not in self.ends and time.monotonic() - heard_s > _SILENT_S:
                    self.lose(f"node {rank} has given no sign for {_SILENT_S:.0f} s")
            if self.lost is not None and self._stop is not None:
                self._stop()


def _sign(rank: int) -> str:
    return f"sign/{rank}"


def _end(rank: int) -> str:
    return f"end/{rank}"

"""A group of nodes: what they agree on, and what becomes of all when one ends."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from torch.distributed import DistError, Store  # pyright: ignore[reportPrivateImportUsage]

from s2s.errors import StageError
from s2s.stage.node import Node
from training.nodes.watch import Watch

__all__ = ["MetNodes", "Nodes"]

_LOOK_EVERY_S = 0.5
_LEAVE_S = 20.0
"""The first node stays for so long, so that the others learn how it ended."""
_SAID = 300
"""Characters of a failure that the others are told."""
_NAMED = re.compile(r"[\w.]+(Error|Exception|Interrupt)\b")
"""The line of a process's traceback that says what was wrong."""
_BROKEN = (
    "closed by peer",
    "reset by peer",
    "Broken pipe",
    "DistBackendError:",
    "DistNetworkError:",
    "DistStoreError:",
    "gloo/transport",
)
"""How torch tells that a connection between processes is gone."""


class Nodes:
    """The nodes of a training, as one of them sees them: this is a machine that trains alone.

    Args:
        node: this machine's place.

    Attributes:
        node: as given.
        fits: how many trainings have begun.
    """

    def __init__(self, node: Node | None = None) -> None:
        self.node = node or Node()
        self.fits = 0

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes to the bucket."""
        return self.node.is_first

    @contextmanager
    def training(self, begin_with: str, stop: Callable[[], None]) -> Iterator[None]:  # noqa: ARG002
        """Train together: wait for all, and end the training here when another node ends.

        Args:
            begin_with: what is trained, and from which checkpoint.
            stop: ends this machine's processes.

        Raises:
            StageError: if another node has ended, with what it said.
        """
        self.fits += 1
        yield

    def wait_for_first(self) -> None:
        """Wait until the first node has measured and stored the model.

        Raises:
            StageError: if it fails.
        """


class MetNodes(Nodes):
    """Nodes that have met, and stay in touch.

    Args:
        node: this machine's place.
        store: the first node's store.
    """

    def __init__(self, node: Node, store: Store) -> None:
        super().__init__(node)
        self._store = store
        self._watch = Watch(node, store)
        self._watch.start()

    def agree(self, question: str, answer: str, remedy: str) -> None:
        """Wait for all nodes, and make sure that they say the same.

        Args:
            question: each is asked once.
            answer: this node's.
            remedy: what to do where nodes differ.

        Raises:
            StageError: if they differ, or a node has ended.
        """
        try:
            self._store.set(f"{question}/{self.node.rank}", answer)
            told = [self._told(f"{question}/{rank}") for rank in range(self.node.count)]
        except DistError as error:
            raise StageError(self._watch.lose("node 0 is gone")) from error
        others = [str(rank) for rank, text in enumerate(told) if text != told[0]]
        if others:
            raise StageError(f"{self.node}: node {', '.join(others)} differs from node 0: {remedy}")

    @contextmanager
    def training(self, begin_with: str, stop: Callable[[], None]) -> Iterator[None]:
        """See `Nodes.training`."""
        self.fits += 1
        self.agree(
            f"fit{self.fits}",
            begin_with,
            "it found another checkpoint in the bucket. Name the same bucket on every node",
        )
        try:
            with self._watch.guarding(stop):
                yield
        except Exception as error:
            if any(words in str(error) for words in _BROKEN):
                self._watch.wait_for_loss()
                if self._watch.lost is None:
                    raise StageError(
                        f"{self.node}: the connection between nodes broke, though all are there: "
                        "look at the network, and start again; it goes on from the last checkpoint"
                    ) from error
            if self._watch.lost is None:
                raise
            raise StageError(self._watch.lost) from error

    def wait_for_first(self) -> None:
        """See `Nodes.wait_for_first`."""
        while (end := self._watch.ends.get(0)) is None:
            self._watch.check()
            time.sleep(_LOOK_EVERY_S)
        if end:
            raise StageError(f"{self.node}: node 0 failed: {end}")

    def leave(self, error: BaseException | None = None) -> None:
        """Tell the others how this node ended; where the store is gone, nobody listens.

        Args:
            error: by which it failed; None where all is well.
        """
        said = "" if error is None else _in_a_line(error)
        until_s = time.monotonic() + _LEAVE_S
        with suppress(DistError):
            self._watch.say_end(said)
            while self.is_first and time.monotonic() < until_s and self._watch.anybody_left():
                time.sleep(_LOOK_EVERY_S)
        self._watch.stop()

    def _told(self, key: str) -> str:
        while not self._store.check([key]):
            self._watch.check()
            time.sleep(_LOOK_EVERY_S)
        return self._store.get(key).decode()


def _in_a_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if _NAMED.match(line)]
    return [type(error).__name__, *lines[:1], *named][-1][:_SAID]

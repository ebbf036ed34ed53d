"""How nodes meet: the first one waits at its port, the others come, and all begin alike."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from torch.distributed import DistError, PrefixStore, Store, TCPStore  # pyright: ignore

from s2s.errors import SettingsError, StageError
from s2s.logs import console
from s2s.stage.node import Node
from training.nodes.group import MetNodes, Nodes

__all__ = ["WAIT", "joined"]

WAIT = "S2S_NODE_WAIT_S"
"""The variable that says how many seconds nodes wait for each other at the start."""
_WAIT_S = 600.0
_ANSWER = timedelta(seconds=30)
"""What is asked of the first node is answered within this time."""
_LOOK_EVERY_S = 0.5
_COME, _COUNTED, _BEGUN = "come", "counted", "begun"
"""Keys: which nodes came, how often each number came, and that all are there."""


@contextmanager
def joined(node: Node, plan: str) -> Iterator[Nodes]:
    """Meet the other nodes, and tell them how this one ended.

    Args:
        node: this machine's place.
        plan: what is to be trained, and how: the same on every node.

    Raises:
        StageError: if the first node cannot be reached, others do not come, or nodes differ.
        SettingsError: if S2S_NODE_WAIT_S is no number.
    """
    if node.count == 1:
        yield Nodes(node)
        return
    until_s = time.monotonic() + _wait_s()
    is_opened_here = node.is_first and not node.is_open
    store = _opened(node) if is_opened_here else _found(node, until_s)
    _gather(store, node, until_s)
    nodes = MetNodes(node, store)
    try:
        nodes.agree(
            "plan",
            plan,
            "its recipe or data set version is another. Use one recipe and one bucket everywhere",
        )
        yield nodes
    except BaseException as error:
        nodes.leave(error)
        raise
    nodes.leave()


def _wait_s() -> float:
    text = os.environ.get(WAIT, str(_WAIT_S))
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = 0.0
    if not 0 < wait_s < float("inf"):
        raise SettingsError(f"{WAIT} is {text!r}: give it a number of seconds, such as 600")
    return wait_s


def _opened(node: Node) -> Store:
    try:
        store = TCPStore(
            node.host, node.port, is_master=True, wait_for_workers=False, timeout=_ANSWER
        )
    except DistError as error:
        raise StageError(
            f"{node}: MASTER_PORT {node.port} cannot be opened on this machine: choose a free port "
            "on every node, and see that NODE_RANK is 0 on one node alone"
        ) from error
    console.print(f"waiting for {node.count - 1} more at {node.address}:{node.port}", style="dim")
    return store


def _found(node: Node, until_s: float) -> Store:
    """The first node's store, as soon as it is there; torchrun's also has other things in it."""
    console.print(f"waiting for the first node at {node.address}:{node.port}", style="dim")
    while True:
        try:
            socket.create_connection((node.host, node.port), timeout=5).close()
            store = TCPStore(
                node.host, node.port, is_master=False, wait_for_workers=False, timeout=_ANSWER
            )
            attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
            return PrefixStore(f"s2s{attempt}", store) if node.is_open else store
        except (OSError, DistError) as error:
            if time.monotonic() > until_s:
                raise StageError(
                    f"{node}: the first one cannot be reached ({_first_line(error)}). Start it, "
                    "and see that MASTER_ADDR and MASTER_PORT are right and the port is open "
                    f"between nodes; {WAIT} sets how long this waits"
                ) from error
        time.sleep(_LOOK_EVERY_S)


def _gather(store: Store, node: Node, until_s: float) -> None:
    """Come, and wait until all have.

    Raises:
        StageError: if they do not, two have one number, or the first one is gone.
    """
    try:
        if store.add(f"{_COUNTED}/{node.rank}", 1) > 1:
            raise StageError(
                f"{node}: another machine is this node already. Give each its own NODE_RANK; after "
                "a failure, start again once the others have ended"
            )
        store.set(f"{_COME}/{node.rank}", "")
        while not store.check([_BEGUN]):
            lacking = [n for n in range(node.count) if not store.check([f"{_COME}/{n}"])]
            if node.is_first and not lacking:
                store.set(_BEGUN, "")
            elif time.monotonic() > until_s:
                raise StageError(
                    f"{node}: {_numbered(lacking)} did not come in time. Start the same command "
                    f"there; {WAIT} sets how long this waits"
                )
            else:
                time.sleep(_LOOK_EVERY_S)
    except DistError as error:
        raise StageError(
            f"{node}: the first one ended before all had come: look at its log, and start again"
        ) from error


def _numbered(ranks: list[int]) -> str:
    if not ranks:
        return "the first node's word"
    return f"{'node' if len(ranks) == 1 else 'nodes'} {', '.join(map(str, ranks))}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

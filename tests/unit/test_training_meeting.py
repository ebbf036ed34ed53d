"""How nodes meet, stay in touch and end: several of them in threads of one process."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from torch.distributed import TCPStore  # pyright: ignore[reportPrivateImportUsage]

from s2s.errors import SettingsError, StageError
from s2s.stage.node import Node
from training.nodes import Nodes, joined
from training.nodes.group import MetNodes


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("meeting._LOOK_EVERY_S", "group._LOOK_EVERY_S", "watch._SIGN_EVERY_S"):
        monkeypatch.setattr(f"training.nodes.{name}", 0.05)
    monkeypatch.setattr("training.nodes.group._LEAVE_S", 5.0)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def start(
    pool: ThreadPoolExecutor, node: Node, work: Callable[[Nodes], Any], plan: str = "plan"
) -> "Future[Any]":
    """A node that does some work."""

    def run() -> Any:
        with joined(node, plan) as nodes:
            return work(nodes)

    return pool.submit(run)


def place(rank: int, port: int, count: int = 2) -> Node:
    return Node(rank, count, "127.0.0.1", port)


def train(nodes: Nodes, seconds: float = 0.0, checkpoint: str = "none") -> str:
    """A training that lasts until it is stopped, or so long."""
    stopped = threading.Event()
    with nodes.training(checkpoint, stopped.set):
        if stopped.wait(seconds):
            raise RuntimeError("stopped")
    return "trained"


def test_one_machine_meets_nobody():
    with joined(Node(), "plan") as nodes:
        assert nodes.is_first
        assert train(nodes) == "trained"
        nodes.wait_for_first()


def test_nodes_train_one_after_another_and_end_together(port: int, pool: ThreadPoolExecutor):
    order: list[str] = []

    def first(nodes: Nodes) -> int:
        train(nodes)
        train(nodes)
        time.sleep(0.3)
        order.append("first")
        return nodes.fits

    def other(nodes: Nodes) -> int:
        train(nodes)
        train(nodes)
        nodes.wait_for_first()
        order.append("other")
        return nodes.fits

    found = [start(pool, place(n, port, 3), first if n == 0 else other) for n in (2, 1, 0)]
    assert [one.result(60) for one in found] == [2, 2, 2]
    assert order == ["first", "other", "other"]


def test_what_torchrun_has_opened_is_met_at(port: int, pool: ThreadPoolExecutor):
    agent = TCPStore("127.0.0.1", port, is_master=True, wait_for_workers=False)
    agent.set("end/0", "of torchrun's own")
    nodes = [Node(rank, 2, "127.0.0.1", port, is_open=True) for rank in (0, 1)]
    found = [start(pool, node, train) for node in nodes]
    assert [one.result(60) for one in found] == ["trained", "trained"]


def test_a_first_node_that_cannot_be_reached_is_told_in_time(
    port: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("S2S_NODE_WAIT_S", "0.2")
    told = r"node 1 of 2.*cannot be reached .*refused.*MASTER_ADDR and MASTER_PORT.*S2S_NODE_WAIT_S"
    with pytest.raises(StageError, match=told), joined(place(1, port), ""):
        pass
    with (
        pytest.raises(StageError, match="cannot be reached"),
        joined(Node(1, 2, "no-such-host.invalid", port), ""),
    ):
        pass


def test_nodes_that_do_not_come_are_named(port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S2S_NODE_WAIT_S", "0.2")
    told = r"nodes 1, 2 did not come in time\. Start the same command there"
    with pytest.raises(StageError, match=told), joined(place(0, port, 3), ""):
        pass


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan", ""])
def test_a_wrong_time_is_told(text: str, port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S2S_NODE_WAIT_S", text)
    with pytest.raises(SettingsError, match=r"S2S_NODE_WAIT_S is .* such as 600"):
        joined(place(0, port), "").__enter__()


def test_a_port_in_use_is_told(port: int):
    with socket.socket() as other:
        other.bind(("", port))
        other.listen()
        with (
            pytest.raises(StageError, match=rf"MASTER_PORT {port} cannot be opened"),
            joined(place(0, port), ""),
        ):
            pass


def test_two_machines_cannot_be_one_node(port: int, pool: ThreadPoolExecutor):
    found = [start(pool, place(rank, port, 3), train) for rank in (0, 1)]
    time.sleep(1)
    with pytest.raises(StageError, match=r"another machine is this node already\. Give each"):
        start(pool, place(1, port, 3), train).result(60)
    found.append(start(pool, place(2, port, 3), train))
    assert [one.result(60) for one in found] == ["trained"] * 3


@pytest.mark.parametrize("differ", ["plan", "checkpoint"])
def test_nodes_that_differ_are_told(differ: str, port: int, pool: ThreadPoolExecutor):
    def work(rank: int) -> Callable[[Nodes], str]:
        name = str(rank) if differ == "checkpoint" else "none"
        return lambda nodes: train(nodes, checkpoint=name)

    plans = ["plan", "other" if differ == "plan" else "plan"]
    found = [start(pool, place(rank, port), work(rank), plans[rank]) for rank in (0, 1)]
    for one in found:
        with pytest.raises(StageError, match=r"node 1 differs from node 0: it"):
            one.result(60)


@pytest.mark.parametrize("fails", [0, 1])
def test_a_node_that_fails_stops_the_others_training(
    fails: int, port: int, pool: ThreadPoolExecutor
):
    def fail(nodes: Nodes) -> None:
        with nodes.training("none", lambda: None):
            raise StageError("the disk is full")

    works = [fail, lambda nodes: train(nodes, seconds=60)]
    found = [start(pool, place(rank, port), works[rank != fails]) for rank in (0, 1)]
    with pytest.raises(StageError, match=r"^the disk is full"):
        found[fails].result(60)
    with pytest.raises(StageError, match=rf"node {fails} failed: the disk is full\. .*goes on"):
        found[1 - fails].result(60)


def test_a_first_node_that_fails_afterwards_fails_the_others(port: int, pool: ThreadPoolExecutor):
    def first(nodes: Nodes) -> None:
        train(nodes)
        raise StageError("the bucket is full\nsee https://there")

    def other(nodes: Nodes) -> None:
        train(nodes)
        nodes.wait_for_first()

    found = [start(pool, place(rank, port), work) for rank, work in enumerate((first, other))]
    with pytest.raises(StageError, match=r"^the bucket is full"):
        found[0].result(60)
    with pytest.raises(StageError, match=r"node 0 failed: the bucket is full(\. See|$)"):
        found[1].result(60)


def pair(port: int) -> tuple[TCPStore, TCPStore]:
    server = TCPStore("127.0.0.1", port, is_master=True, wait_for_workers=False)
    timeout = timedelta(seconds=5)
    return server, TCPStore("127.0.0.1", port, is_master=False, timeout=timeout)


def test_a_silent_node_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.nodes.watch._SILENT_S", 0.3)
    server, client = pair(port)
    client.set("fit1/1", "none")  # it was there, and says no more
    nodes = MetNodes(place(0, port), server)
    with pytest.raises(StageError, match=r"node 1 has given no sign for 0 s.*on every node"):
        train(nodes, seconds=60)
    nodes.leave()


def test_a_first_node_that_is_gone_ends_the_others(port: int):
    server, client = pair(port)
    server.set("fit1/0", "none")
    server.set("sign/0", "1")
    nodes = MetNodes(place(1, port), client)
    del server
    with pytest.raises(StageError, match="node 0 is gone"):
        train(nodes, seconds=60)
    nodes.leave()


def test_a_broken_connection_is_laid_to_the_node_that_failed(port: int, pool: ThreadPoolExecutor):
    def fail(nodes: Nodes) -> None:
        with nodes.training("none", lambda: None):
            time.sleep(0.3)
            raise RuntimeError("-- Process 0\nTraceback\nValueError: shapes do not fit\nSee there")

    def broken(nodes: Nodes) -> None:
        with nodes.training("none", lambda: None):
            raise RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer")

    found = [start(pool, place(rank, port), work) for rank, work in enumerate((broken, fail))]
    with pytest.raises(StageError, match="node 1 failed: ValueError: shapes do not fit"):
        found[0].result(60)
    with pytest.raises(RuntimeError, match="shapes"):
        found[1].result(60)

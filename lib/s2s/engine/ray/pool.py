"""A pool of workers that follows the cluster: chunks go out, results come in, what dies is redone.

An item whose worker died is given to a second one, alone and, where there is one, on another node.
An item that two workers died of is given up. What Ray has ended for memory comes last, with a node
to itself: it ends the worker that began last, whoever takes the memory. The loss of a whole node is
not counted against an item, up to five times, nor is that of a worker that had not begun it.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import ray
from ray.exceptions import LocalRayletDiedError, RayError, RayTaskError, RuntimeEnvSetupError

from s2s.engine.chunks import ChunkSize
from s2s.engine.contract import WorkerDiedError
from s2s.engine.ray.cluster import Cluster, Share
from s2s.engine.ray.losses import LOSSES, is_node_loss, is_short_of_memory, lacking, told
from s2s.engine.ray.worker import FunctionError, start_worker
from s2s.errors import StageError

__all__ = ["Member", "Pool"]

_WORKER_DEATHS, _OTHER_DEATHS = 2, 5
_AHEAD = 2
"""Chunks that a worker has: the one that it works on, and the next."""
_FAILED_STARTS = 10
_PATIENCE_S = 600.0
"""A cluster that grows by itself needs minutes for a machine."""
_LOOK_S = 5.0
"""Interval at which the cluster's nodes are listed."""


@dataclass(eq=False)
class _Item:
    item: Any
    deaths: int = 0
    other_deaths: int = 0
    avoid: str = ""
    needs_a_node: bool = False


@dataclass(eq=False)
class Member:
    """A worker, with what it was sent, the oldest first."""

    handle: Any
    node: str = ""
    process: int = 0
    sent: deque[Any] = field(default_factory=deque)


@dataclass(frozen=True)
class _Sent:
    """A chunk that a worker has; the reference to `ready` comes back before it is begun."""

    member: Member
    chunk: list[_Item]
    ready: Any = None

    def was_begun(self) -> bool:
        """Whether a worker that is gone has come to it."""
        if self.ready is None:
            return True
        if not ray.wait([self.ready], timeout=0)[0]:
            return False
        try:
            ray.get(self.ready)
        except RayError:
            return False
        return True


class Pool:
    """Workers for one map.

    Args:
        cluster: where they are.
        function: what is mapped.
        share: what each occupies.
        threads: items of a chunk that each works on at a time.
        most: workers, at most; None for as many as there is room for.
        kept: workers of an earlier map, which are taken over; afterwards it has those that are
            free, for the next one.
    """

    def __init__(
        self,
        cluster: Cluster,
        function: Callable[[Any], Any],
        share: Share,
        threads: int = 1,
        most: int | None = None,
        kept: list[Member] | None = None,
    ) -> None:
        self._cluster = cluster
        self._function = ray.put(function)
        self._share = share
        self._threads = threads
        self._most = most
        self._size = ChunkSize()
        self._members: list[Member] = []
        self._kept = [] if kept is None else kept
        self._starting: dict[Any, Member] = {}
        self._running: dict[Any, _Sent] = {}
        self._ended: dict[str, list[int]] = {}
        self._suspects: deque[_Item] = deque()
        self._back: deque[_Item] = deque()
        self._failed_starts = 0
        self._waits_since_s = time.monotonic()
        self._looked_s = -_LOOK_S

    def map(self, items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """See `Engine.map`."""
        self._left = len(items) if hasattr(items, "__len__") else None  # pyright: ignore
        source = iter(items)
        following = deque(islice(source, 1))
        if following:
            # One may have died since: it is asked before it is given anything.
            self._starting = {member.handle.place.remote(): member for member in self._kept}
            self._kept.clear()
        try:
            while following or self._suspects or self._back or self._running:
                self._follow_cluster()
                self._send(following, source)
                yield from self._receive()
        finally:
            self.close()

    def close(self) -> None:
        """Keep the workers that have nothing to do, and end the others."""
        members = (*self._members, *self._starting.values())
        # Without a head they end by themselves; whoever asks for that would wait for it.
        for member in members if self._cluster.has_head else ():
            if member.sent or member not in self._members:
                ray.kill(member.handle)
            else:
                self._kept.append(member)
        self._members.clear()
        self._starting.clear()

    def _follow_cluster(self) -> None:
        """Have as many workers as there is room for, or as are asked for."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_S:
            return
        self._looked_s = now_s
        self._cluster.check_head()
        wanted = self._most or max(1, self._cluster.room(self._share).workers)
        if self._left is not None:
            waiting = len(self._suspects) + len(self._back) + len(self._running)
            wanted = min(wanted, self._left + waiting)
        for _ in range(wanted - len(self._members) - len(self._starting)):
            share = self._share
            handle = start_worker(self._threads, share.cpus, share.gpus)
            self._starting[handle.place.remote()] = Member(handle)

    def _send(self, following: deque[Any], source: Iterator[Any]) -> None:
        """Give every worker something to do, and one chunk ahead."""
        for depth in range(_AHEAD):
            for member in self._members:
                if len(member.sent) <= depth and (chunk := self._next(member, following, source)):
                    self._give(member, chunk)

    def _give(self, member: Member, chunk: list[_Item]) -> None:
        """A suspect is not begun before its worker is known to live, with memory that is free."""
        ended, ready = self._ended.get(member.node, []), None
        if ended or chunk[0].deaths:
            ready = member.handle.ready.remote(ended)
        reference = member.handle.work.remote([self._function], [one.item for one in chunk])
        member.sent.append(reference)
        self._running[reference] = _Sent(member, chunk, ready)

    def _next(self, member: Member, following: deque[Any], source: Iterator[Any]) -> list[_Item]:
        """The next chunk for a worker; empty if it is to have none now."""
        at_work = [
            sent.chunk[0] for sent in self._running.values() if sent.member.node == member.node
        ]
        if any(one.needs_a_node for one in at_work):
            return []
        is_last = not (following or self._back or at_work)
        for at, one in enumerate(self._suspects):
            if self._may_go(one, member) and (is_last or not one.needs_a_node):
                if member.sent:
                    return []  # a suspect goes to a worker that has nothing else to lose
                del self._suspects[at]
                return [one]
        if any(self._running[sent].chunk[0].deaths for sent in member.sent):
            return []
        n_workers = max(1, len(self._members) + len(self._starting))
        size = max(self._size.next(self._left, n_workers), self._threads)
        back = [one for one in islice(self._back, size) if self._may_go(one, member)]
        for one in back:
            self._back.remove(one)
        if back or not following:
            return back
        taken = [following.popleft(), *islice(source, size - 1)]
        following.extend(islice(source, 1))
        if self._left is not None:
            self._left -= len(taken)
        return [_Item(item) for item in taken]

    def _may_go(self, one: _Item, member: Member) -> bool:
        return one.avoid != member.node or all(other.node == one.avoid for other in self._members)

    def _receive(self) -> Iterator[tuple[Any, Any]]:
        waiting = [*self._running, *self._starting]
        ready, _ = ray.wait(waiting, num_returns=1, timeout=_LOOK_S)
        self._check_patience()
        for reference in ready:
            if reference in self._starting:
                self._started(reference)
            elif reference in self._running:  # not given back with another of its worker
                yield from self._finished(reference)

    def _check_patience(self) -> None:
        if self._members:
            self._waits_since_s = time.monotonic()
        elif time.monotonic() - self._waits_since_s > _PATIENCE_S:
            share = self._share
            raise StageError(
                f"Ray: no node has had room for a worker ({share.cpus:g} CPU, {share.gpus:g} GPU) "
                f"for {_PATIENCE_S:.0f} s: look at 'ray status', and free or add nodes"
            )

    def _started(self, reference: Any) -> None:
        member = self._starting.pop(reference)
        try:
            member.node, member.process = ray.get(reference)
        except RuntimeEnvSetupError as error:
            raise StageError(
                f"Ray: our code does not get to the cluster's nodes: {error}"
            ) from error
        except LOSSES as error:
            if getattr(error, "_actor_init_failed", False):  # nothing public tells
                raise lacking(error) from error
            self._not_started(error)
        else:
            self._failed_starts = 0
            self._members.append(member)

    def _not_started(self, error: RayError) -> None:
        """Try again at once; where memory is short those that are there go on first."""
        if is_short_of_memory(error) and self._members:
            return
        self._looked_s = -_LOOK_S
        self._failed_starts += 1
        if self._failed_starts == _FAILED_STARTS:
            raise StageError(
                f"Ray: {_FAILED_STARTS} workers in a row died before they began: {told(error)}"
            ) from error

    def _finished(self, reference: Any) -> Iterator[tuple[Any, Any]]:
        sent = self._running.pop(reference)
        member, chunk = sent.member, sent.chunk
        try:
            results, seconds = ray.get(reference)
        except RayTaskError as error:
            if isinstance(error.cause, FunctionError):
                raise lacking(error.cause) from error
            raise error.cause if error.cause is not None else error from error
        except LOSSES as error:
            yield from self._lost(sent, reference, error)
            return
        except (LocalRayletDiedError, RayError) as error:
            raise StageError(f"Ray: {error}. Check the cluster and run again") from error
        member.sent.remove(reference)
        self._size.measured(len(chunk), seconds)
        yield from ((one.item, result) for one, result in zip(chunk, results, strict=True))

    def _lost(self, sent: _Sent, reference: Any, error: RayError) -> Iterator[tuple[Any, Any]]:
        """Put what a dead worker had back; the chunk that it was on is the suspect."""
        member = sent.member
        is_node = is_node_loss(error) or member.node not in self._cluster.nodes()
        was_at_work = member.sent[0] == reference
        if member in self._members:
            self._members.remove(member)
            ray.kill(member.handle)  # if it cannot be reached any more, it may live
            self._looked_s = -_LOOK_S
            if is_short_of_memory(error):
                self._ended.setdefault(member.node, []).append(member.process)
        if not was_at_work:  # the one before it was
            self._back.extend(sent.chunk)
            return
        is_theirs = not is_node and sent.was_begun()
        for one in sent.chunk:
            one.avoid = member.node
            one.needs_a_node |= is_theirs and is_short_of_memory(error)
            one.deaths += is_theirs
            one.other_deaths += not is_theirs
            if one.deaths >= _WORKER_DEATHS or one.other_deaths >= _OTHER_DEATHS:
                yield one.item, WorkerDiedError(f"the Ray worker died, twice ({told(error)})")
            elif one.deaths:
                self._suspects.append(one)
            else:
                self._back.append(one)

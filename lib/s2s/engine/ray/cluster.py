"""The cluster that this process works on: joined, or started here."""

import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import floor
from typing import Any
from urllib.parse import urlsplit

import ray
from ray.exceptions import AuthenticationError, RayError

from s2s.engine.address import REMEDY_OF_REFUSAL, ClusterAddress, find_cluster
from s2s.engine.contract import Room
from s2s.engine.ray.shipping import runtime_env
from s2s.errors import SettingsError, StageError

__all__ = ["Cluster", "Share", "join_cluster"]

log = logging.getLogger(__name__)
# On a busy machine a node that starts here may miss the 30 s that Ray gives it.
_STARTS = 3
_HEAD_PATIENCE_S = 30.0
"""A head may come back. After 60 s without one Ray ends the process, with a line of its own."""
_ANSWER_S = 5.0
_joined: tuple[ClusterAddress | None, frozenset[str]] | None = None
_times_joined = 0


@dataclass(frozen=True)
class Share:
    """The share of a node that one worker occupies.

    Attributes:
        cpus: cores.
        gpus: of the graphics processors, fractions of one too.
    """

    cpus: float = 1.0
    gpus: float = 0.0


class Cluster:
    """The cluster's nodes, as they are at this moment.

    Attributes:
        number: counts how often this process has joined or started one.
    """

    def __init__(self, number: int) -> None:
        self.number = number

    @property
    def has_head(self) -> bool:
        """Whether the head, which all that is asked of the cluster is asked of, answers."""
        address = _joined[0] if _joined else None
        if address is not None and address.url.startswith("ray://"):
            return _listens(address.url)
        return _listens(f"gcs://{ray.get_runtime_context().gcs_address}")

    def nodes(self) -> dict[str, dict[str, float]]:
        """Resources of every node that is alive, by its id.

        Raises:
            StageError: see `check_head`.
        """
        self.check_head()
        return {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}

    def check_head(self) -> None:
        """Make sure that there is one.

        Raises:
            StageError: if it does not answer, nor comes back soon.
        """
        until_s = time.monotonic() + _HEAD_PATIENCE_S
        while not self.has_head:
            if time.monotonic() > until_s:
                raise StageError(
                    "the Ray cluster's head does not answer any more. What is stored stays: run "
                    "again, on a cluster that has one, to go on"
                )
            time.sleep(1)

    @property
    def has_gpu(self) -> bool:
        """Whether any node has one."""
        return any(resources.get("GPU", 0) for resources in self.nodes().values())

    def room(self, share: Share) -> Room:
        """Number of workers that fit, and of nodes."""
        each = [_fits(resources, share) for resources in self.nodes().values()]
        return Room(sum(each), sum(number > 0 for number in each))

    def check_gpus(self, share: Share) -> None:
        """Make sure that there is room for a worker that has a share of a GPU.

        Raises:
            SettingsError: if no node can ever have one.
        """
        if self.room(share).workers:
            return
        if not self.has_gpu:
            raise SettingsError(
                f"the Ray cluster has no GPU, and --gpus {share.gpus:g} asks for one. Start a node "
                "that has one, or leave --gpus out to work on cores"
            )
        raise SettingsError(
            f"no node of the Ray cluster has what a worker is to have, {share.cpus:g} CPU and "
            f"{share.gpus:g} GPU. Choose a smaller share with --gpus, or start a larger node"
        )


def join_cluster(packages: frozenset[str]) -> Cluster:
    """Join the cluster of RAY_ADDRESS, or start one on this machine.

    Args:
        packages: whose code a cluster that is joined has to be brought.

    Raises:
        SettingsError: if the cluster does not answer, or does not let us in.
    """
    global _joined, _times_joined  # noqa: PLW0603 - Ray, too, has one cluster a process
    if ray.is_initialized():
        if _joined is None or _joined[0] is None or packages <= _joined[1]:
            return Cluster(_times_joined)
        ray.shutdown()  # code is brought once, when a cluster is joined
        packages |= _joined[1]
    address = find_cluster()
    if address is None:
        _start()
    else:
        _join(address, packages)
    _joined = address, packages
    _times_joined += 1
    return Cluster(_times_joined)


def _join(address: ClusterAddress, packages: frozenset[str]) -> None:
    try:
        _init(address=address.url, runtime_env=runtime_env(packages))
    except AuthenticationError as error:
        raise SettingsError(
            f"the Ray cluster at {address.url} ({address.origin}) wants a token: "
            f"{_first_line(error)}. {REMEDY_OF_REFUSAL}"
        ) from error
    except (ConnectionError, ImportError, RuntimeError, ValueError, RayError) as error:
        raise SettingsError(
            f"the Ray cluster at {address.url} ({address.origin}) cannot be joined: "
            f"{_first_line(error)}. Its nodes need the Python and the Ray of this machine"
        ) from error


def _start() -> None:
    for attempt in range(1, _STARTS + 1):
        try:
            _init(address="local", include_dashboard=False)
        except Exception as error:
            # Ray has no class of its own for it.
            if "timed out during startup" not in str(error) or attempt == _STARTS:
                raise SettingsError(
                    f"Ray cannot be started on this machine: {_first_line(error)}. Choose the "
                    "engine local"
                ) from error
            log.info("Ray did not start in time, again: %s", _first_line(error))
        else:
            return


def _init(**options: Any) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    # What Ray itself sets with `logging_level`, if it may do all else with the logs, too.
    logging.getLogger("ray").setLevel(logging.ERROR)
    with _keeping_sigterm():
        ray.init(**options, **quiet)


@contextmanager
def _keeping_sigterm() -> Iterator[None]:
    """Ray would take SIGTERM for itself, and end the process without a word while it starts.

    It asks Python for it, which is not passed on; and then the system itself, which is taken back.
    """
    on_sigterm, set_handler = signal.getsignal(signal.SIGTERM), signal.signal

    def but_for_sigterm(number: int, handler: Any) -> Any:
        return on_sigterm if number == signal.SIGTERM else set_handler(number, handler)

    signal.signal = but_for_sigterm
    try:
        yield
    except KeyboardInterrupt:
        signal.alarm(0)  # where Ray's was the first to see it, it aborts the process after 3 s
        raise
    finally:
        signal.signal = set_handler
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)


def _listens(url: str) -> bool:
    place = urlsplit(url)
    with suppress(OSError), socket.create_connection((place.hostname, place.port), _ANSWER_S):
        return True
    return False


def _fits(resources: dict[str, float], share: Share) -> int:
    wanted = {"CPU": share.cpus, "GPU": share.gpus}
    return min(
        floor(resources.get(name, 0.0) / number + 1e-9)
        for name, number in wanted.items()
        if number > 0
    )


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), repr(error))

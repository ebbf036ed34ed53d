"""This machine's place among the nodes of a training, as what started it tells by variables.

By hand, NODE_RANK says which node a machine is, and MASTER_ADDR and MASTER_PORT where the first
one is. torchrun tells GROUP_RANK, Vertex AI's worker pools RANK and CLUSTER_SPEC, an Indexed Job of
Kubernetes JOB_COMPLETION_INDEX.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from s2s.errors import SettingsError

__all__ = ["Node", "find_node", "is_other_node"]

_RANKS = ("NODE_RANK", "GROUP_RANK", "CLUSTER_SPEC", "RANK", "JOB_COMPLETION_INDEX")
"""Variables that say which node this is; the first one that is set does."""
_COUNTED = ("GROUP_RANK", "CLUSTER_SPEC", "RANK")
"""Of these, whoever sets them says the number of nodes as well, in WORLD_SIZE."""
_OF_TRAININGS = ("NODE_RANK", "GROUP_RANK", "CLUSTER_SPEC", "RANK")
"""Of these, nobody sets them but for a training on several machines."""
_FIRST_POOL, _SECOND_POOL = "workerpool0", "workerpool1"
_LAST_PORT = 65_535
_BY_HAND = (
    "Start the same command on every node, with MASTER_ADDR (address of the first node), "
    "MASTER_PORT (a free port there) and NODE_RANK (0 on the first node, then 1, ...), see "
    "docs/gpu.md, or set training.nodes to 1"
)


@dataclass(frozen=True)
class Node:
    """A machine's place.

    Attributes:
        rank: which node it is, from 0.
        count: how many there are.
        address: of the first node.
        port: where the first node is met.
        is_open: whether what started the nodes has opened the port already, as torchrun does.
    """

    rank: int = 0
    count: int = 1
    address: str = ""
    port: int = 0
    is_open: bool = False

    def __str__(self) -> str:
        return f"node {self.rank} of {self.count}, which meet at {self.address}:{self.port}"

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes to the bucket."""
        return self.rank == 0

    @property
    def host(self) -> str:
        """Where this machine reaches the port."""
        return "localhost" if self.is_first and not self.is_open else self.address


def find_node(count: int, environment: Mapping[str, str] | None = None) -> Node:
    """This machine's place.

    Args:
        count: how many nodes there are to be: the recipe's `training.nodes`.
        environment: variables; None for those of this process.

    Raises:
        SettingsError: if a variable lacks or is wrong, or they tell of another number of nodes.
    """
    told = os.environ if environment is None else environment
    if count == 1:
        _check_alone(told)
        return Node()
    if told.get("LOCAL_WORLD_SIZE", "1") != "1":
        raise SettingsError(
            f"LOCAL_WORLD_SIZE is {told['LOCAL_WORLD_SIZE']}: the training starts its processes by "
            "itself. Give torchrun --nproc-per-node 1, and set training.devices in the recipe"
        )
    name, rank = _told_rank(told)
    started = told.get("WORLD_SIZE") if name in _COUNTED else None
    if name == "CLUSTER_SPEC":
        started = str(sum(map(len, _cluster(told[name])["cluster"].values())))
    if started not in (None, str(count)):
        raise SettingsError(
            f"{name} is one of {started} machines, but training.nodes is {count}. Start as many "
            "as the recipe says, or change training.nodes"
        )
    if not 0 <= rank < count:
        raise SettingsError(
            f"{name} says that this is node {rank}, but training.nodes is {count}. Number the "
            f"nodes from 0 to {count - 1}, or change training.nodes"
        )
    is_open = told.get("TORCHELASTIC_USE_AGENT_STORE") == "True" and name != "NODE_RANK"
    return Node(rank, count, *_meeting_place(told), is_open=is_open)


def is_other_node(environment: Mapping[str, str] | None = None) -> bool:
    """Whether this machine is told to be another node than the first."""
    told = os.environ if environment is None else environment
    try:
        return _told_rank(told)[1] > 0
    except SettingsError:
        return False  # nothing tells so


def _check_alone(told: Mapping[str, str]) -> None:
    given = {name: told[name] for name in _OF_TRAININGS if name in told}
    if is_other_node(given):
        name, rank = _told_rank(given)
        raise SettingsError(
            f"{name} says that this is node {rank} of a training, but training.nodes is 1. Set it "
            "to the number of nodes, or start the command once"
        )


def _told_rank(told: Mapping[str, str]) -> tuple[str, int]:
    name = next((name for name in _RANKS if name in told), None)
    if name is None:
        raise SettingsError(
            f"nothing tells which of training.nodes this machine is: there is no NODE_RANK. "
            f"{_BY_HAND}"
        )
    if name == "CLUSTER_SPEC":
        return name, _rank_in_cluster(_cluster(told[name]))
    return name, _number(name, told[name])


def _meeting_place(told: Mapping[str, str]) -> tuple[str, int]:
    """Address and port of the first node."""
    address, port = told.get("MASTER_ADDR", ""), told.get("MASTER_PORT", "")
    if "CLUSTER_SPEC" in told and not (address and port):
        first, _, its_port = _hosts(_cluster(told["CLUSTER_SPEC"]), _FIRST_POOL)[0].partition(":")
        address, port = address or first, port or its_port
    for name, value in (("MASTER_ADDR", address), ("MASTER_PORT", port)):
        if not value:
            raise SettingsError(f"nothing tells where the first node is: no {name}. {_BY_HAND}")
    number = _number("MASTER_PORT", port)
    if not 0 < number <= _LAST_PORT:
        raise SettingsError(f"MASTER_PORT is {port}. Choose one from 1 to {_LAST_PORT}")
    return address, number


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise SettingsError(f"{name} is {text!r}, which is no number. {_BY_HAND}")
    return int(text)


def _cluster(text: str) -> Mapping[str, Any]:
    """Vertex AI's CLUSTER_SPEC: hosts by worker pool, and which of them this is."""
    try:
        found = json.loads(text)
        _hosts(found, _FIRST_POOL)[0]
        _rank_in_cluster(found)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise SettingsError(
            f"CLUSTER_SPEC is not as Vertex AI writes it ({text[:80]}). {_BY_HAND}"
        ) from error
    return found


def _hosts(cluster: Mapping[str, Any], pool: str) -> list[str]:
    return list(cluster["cluster"][pool])


def _rank_in_cluster(cluster: Mapping[str, Any]) -> int:
    pool, index = cluster["task"]["type"], int(cluster["task"]["index"])
    if pool not in (_FIRST_POOL, _SECOND_POOL):
        raise ValueError(pool)
    return index if pool == _FIRST_POOL else len(_hosts(cluster, _FIRST_POOL)) + index

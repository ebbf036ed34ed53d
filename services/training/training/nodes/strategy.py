"""Lightning's DDP over processes of several nodes, which meet at the first node's store."""

import atexit
from typing import Any

import torch.distributed
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy
from torch.distributed import PrefixStore, TCPStore  # pyright: ignore[reportPrivateImportUsage]

from s2s.stage.node import Node

__all__ = ["NodesStrategy"]


class NodesStrategy(DDPStrategy):
    """DDP, its processes started here on each node; they meet where the nodes have met.

    So one port of the first node is enough, however many trainings follow each other.

    Args:
        node: this machine's place.
        fit: which training of the run it is.
        options: of `DDPStrategy`.
    """

    def __init__(self, node: Node, fit: int, **options: Any) -> None:
        super().__init__(cluster_environment=_Environment(node), start_method="spawn", **options)
        self._node = node
        self._fit = fit

    def setup_distributed(self) -> None:
        """Connect to the other processes, where Lightning would open a port of its own."""
        self.set_world_ranks()
        backend = self._get_process_group_backend()
        timeout = self._timeout or torch.distributed.default_pg_timeout
        store = TCPStore(
            self._node.host,
            self._node.port,
            is_master=False,
            wait_for_workers=False,
            timeout=timeout,
        )
        torch.distributed.init_process_group(
            backend,
            store=PrefixStore(f"processes{self._fit}", store),
            rank=self.global_rank,
            world_size=self.world_size,
            timeout=timeout,
            device_id=self.root_device if self.root_device.type == "cuda" else None,
        )
        if backend == "nccl":
            atexit.register(torch.distributed.destroy_process_group)
        super().setup_distributed()


class _Environment(LightningEnvironment):
    """Lightning's own environment, whatever variables torchrun or a cluster have set."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._node = node

    @property
    def creates_processes_externally(self) -> bool:
        """No: each node starts its own."""
        return False

    @property
    def main_address(self) -> str:
        """Address of the first node."""
        return self._node.address

    @property
    def main_port(self) -> int:
        """Where it is met."""
        return self._node.port

    def node_rank(self) -> int:
        """Which node this is."""
        return self._node.rank

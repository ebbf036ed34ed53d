"""Feature extraction that writes down how often each worker has loaded its networks."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from feature_extraction import shard
from feature_extraction.shard import ShardMaker
from s2s.settings import Settings

__all__ = ["Load", "WatchedShard", "loads_of"]


class Load(NamedTuple):
    """One shard.

    Attributes:
        worker: the process that made it.
        n_loads: how often this one had loaded networks by then.
        gpu: the GPUs that it saw.
    """

    worker: str
    n_loads: int
    gpu: str


class WatchedShard(ShardMaker):
    """Notes, for each shard, who makes it."""

    def _processor(self, bucket: Any) -> Any:
        processor = super()._processor(bucket)
        loads = shard._load_processor.cache_info().misses
        with _file(self.settings).open("a") as file:
            file.write(f"{os.getpid()} {loads} {os.environ['CUDA_VISIBLE_DEVICES']}\n")
        return processor


def loads_of(settings: Settings) -> Iterator[Load]:
    """What was noted in a run."""
    for line in _file(settings).read_text().splitlines():
        worker, n_loads, gpu = line.split(" ")
        yield Load(worker, int(n_loads), gpu)


def _file(settings: Settings) -> Path:
    return settings.work_dir / "loads.txt"

"""One clip's arrays where they are stored."""

from dataclasses import dataclass

import numpy as np

from s2s.dataset import DatasetClip
from s2s.features.shards import ShardReader

__all__ = ["StoredClip"]


@dataclass(frozen=True)
class StoredClip:
    """A clip of a data set version, and the shard that has its arrays.

    Attributes:
        listed: what the data set says of it.
        shard: where its arrays are.
    """

    listed: DatasetClip
    shard: ShardReader

    @property
    def clip_id(self) -> str:
        """The clip."""
        return self.listed.clip_id

    def length(self, name: str) -> int:
        """Instants of one of its arrays."""
        return self.shard.length(self.clip_id, name)

    def read(self, name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Instants `start` to `stop` of one of its arrays, as they are stored."""
        return self.shard.read(self.clip_id, name, start, stop)

"""Shards: the features of many clips in one file, written once, memory-mapped when read.

A shard is a safetensors file with one array `<clip_id>/<extractor>` a clip and extractor, float16
(T, D), and a header that says what the arrays are, and of which clips.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from s2s.errors import ModelError
from s2s.features.index import HEADER, ShardHeader
from s2s.settings import Recipe

__all__ = ["ShardReader", "write_shard"]

_REMEDY = "run feature_extraction again for this recipe"


def write_shard(
    path: Path, header: ShardHeader, clips: Mapping[str, Mapping[str, np.ndarray]]
) -> None:
    """Write a shard.

    Args:
        path: the file.
        header: what it says about itself; its clips must be those given.
        clips: float (T, D) arrays of each clip by extractor.

    Raises:
        ValueError: if an array holds a value that is not a finite float16.
    """
    arrays = {
        f"{clip_id}/{name}": np.ascontiguousarray(array, dtype=np.float16)
        for clip_id in header.clips
        for name, array in clips[clip_id].items()
    }
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name}: holds a value that is not finite")
    save_file(arrays, path, metadata={HEADER: header.model_dump_json()})


class ShardReader:
    """Reads windows of a shard without reading the rest of it.

    Args:
        path: the file.

    Raises:
        ModelError: if it is not a shard.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = safe_open(path, framework="numpy")
            metadata = self._file.metadata() or {}
            self.header = ShardHeader.model_validate_json(metadata[HEADER])
        except (OSError, SafetensorError, KeyError, ValidationError) as error:
            raise ModelError(
                f"{path}: not a feature shard ({error}): delete it and {_REMEDY}"
            ) from error

    def __getstate__(self) -> dict[str, Path]:
        """Only the path travels to other processes: a memory map cannot."""
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Path]) -> None:
        self.__init__(state["path"])

    def length(self, clip_id: str, name: str) -> int:
        """Rows of a clip's array."""
        return self._file.get_slice(f"{clip_id}/{name}").get_shape()[0]

    def read(self, clip_id: str, name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Rows `start` to `stop` of a clip's array, float16 (T, D), as they are stored."""
        return self._file.get_slice(f"{clip_id}/{name}")[start:stop]

    def check(self, recipe: Recipe) -> Self:
        """Make sure that the shard fits the recipe and that all its values are finite.

        Raises:
            ModelError: if it does not; the message says what differs.
        """
        expected = {
            "recipe": recipe.name,
            "spec": recipe.spec,
            "features": recipe.feature_extraction,
        }
        for name, value in expected.items():
            if (found := getattr(self.header, name)) != value:
                raise ModelError(
                    f"{self.path}: its {name} is {found}, but {value} is needed: {_REMEDY}"
                )
        for clip_id in self.header.clips:
            for name, dim in self.header.dims.items():
                self._check_array(f"{clip_id}/{name}", dim)
        return self

    def _check_array(self, key: str, dim: int) -> None:
        try:
            array = self._file.get_tensor(key)
        except SafetensorError as error:
            raise ModelError(
                f"{self.path}: has no {key}: delete the shard and {_REMEDY}"
            ) from error
        if array.ndim != 2 or array.shape[1] != dim or not len(array):
            raise ModelError(
                f"{self.path}: {key} has shape {array.shape}, but (T, {dim}) is needed: "
                f"delete the shard and {_REMEDY}"
            )
        if not np.isfinite(array).all():
            raise ModelError(
                f"{self.path}: {key} holds NaN or infinity: delete the shard and {_REMEDY}"
            )

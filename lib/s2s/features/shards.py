"""Shards: the features of many clips in one file, written once, memory-mapped when read.

A shard is a safetensors file with one tensor `<clip_id>/<array>` a clip and array, or two where the
array's instants are byte strings: all bytes, and where each string begins and ends. The header says
what the arrays are, and of which clips. A tensor of its own is the checksum of all that.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from s2s.errors import ModelError
from s2s.features.arrays import Array, ArrayError, ArraySpec
from s2s.settings import FEATURES, Recipe
from s2s.storage import Bucket
from s2s.storage.bucket import crc32c_of_pieces

__all__ = ["CHECKSUM", "HEADER", "ShardHeader", "ShardReader", "read_header", "write_shard"]

HEADER = "s2s_shard"
"""Name of the header in a shard's metadata."""
CHECKSUM = "s2s_crc32c"
"""Name of the tensor with the CRC-32C, in base64, of the header's text and all clips' tensors.

Not beside the header: metadata are written in any order, and equal shards have equal bytes.
"""
_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 100_000_000  # what safetensors allows
_REMEDY = "run feature_extraction again for this recipe"


class ShardHeader(BaseModel):
    """The header of a shard: its recipe, settings, arrays and clips.

    Attributes:
        recipe: name of the recipe.
        settings: those that the arrays depend on, by name: see `Recipe.named_settings`.
        arrays: what each array is.
        clips: identity of each clip that is inside, by its id, in the order of the manifest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    settings: dict[str, Any]
    arrays: tuple[ArraySpec, ...]
    clips: dict[str, str]


def write_shard(path: Path, header: ShardHeader, clips: Mapping[str, Mapping[str, Array]]) -> None:
    """Write a shard.

    Args:
        path: the file.
        header: what it says about itself; its clips must be those given.
        clips: arrays of each clip by name, as the header's specs describe them.

    Raises:
        ArrayError: if an array is not what its spec says.
    """
    tensors: dict[str, np.ndarray] = {}
    for clip_id in header.clips:
        for spec in header.arrays:
            try:
                packed = spec.pack(clips[clip_id][spec.name])
            except ArrayError as error:
                raise ArrayError(f"{clip_id}/{error}") from error
            tensors |= {f"{clip_id}/{part}": values for part, values in packed.items()}
    text = header.model_dump_json()
    tensors[CHECKSUM] = _checksum(text, tensors.values())
    save_file(tensors, path, metadata={HEADER: text})


def _checksum(header: str, tensors: Iterable[np.ndarray]) -> np.ndarray:
    pieces = chain([header.encode()], (tensor.tobytes() for tensor in tensors))
    return np.frombuffer(crc32c_of_pieces(pieces).encode(), np.uint8)


def read_header(bucket: Bucket, key: str) -> ShardHeader:
    """Read a shard's header out of the bucket, and nothing else of it.

    A safetensors file begins with eight bytes that say its header's length, then comes JSON.

    Raises:
        ModelError: if the object is not a shard.
    """
    try:
        with bucket.open_range(key, 0, _LENGTH_BYTES) as file:
            length = int.from_bytes(file.read(), "little")
        if length > _MAX_HEADER_BYTES:
            raise ValueError(f"its header would have {length} bytes")
        with bucket.open_range(key, _LENGTH_BYTES, length) as file:
            metadata = json.loads(file.read())["__metadata__"]
        return ShardHeader.model_validate_json(metadata[HEADER])
    except (ValueError, KeyError, TypeError, OverflowError, ValidationError) as error:
        raise ModelError(
            f"{bucket.url}: {key} is not a feature shard ({error}): delete it and run "
            "feature_extraction again for this recipe"
        ) from error


class ShardReader:
    """Reads windows of a shard without reading the rest of it.

    Args:
        path: the file.
        name: what messages call it, such as where it was copied from; its path unless told.

    Raises:
        ModelError: if it is not a shard.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        self.path, self.name = path, name or str(path)
        try:
            self._file = safe_open(path, framework="numpy")
            self._header_text = (self._file.metadata() or {})[HEADER]
            self.header = ShardHeader.model_validate_json(self._header_text)
        except (OSError, SafetensorError, KeyError, ValidationError) as error:
            raise ModelError(
                f"{self.name}: not a feature shard ({error}): delete it and {_REMEDY}"
            ) from error
        self._specs = {spec.name: spec for spec in self.header.arrays}

    def __getstate__(self) -> tuple[Path, str]:
        """Only path and name travel to other processes: a memory map cannot."""
        return self.path, self.name

    def __setstate__(self, state: tuple[Path, str]) -> None:
        self.__init__(*state)

    def spec(self, name: str) -> ArraySpec:
        """The spec of one of its arrays.

        Raises:
            ModelError: if it has none of that name.
        """
        if name not in self._specs:
            raise ModelError(
                f"{self.name}: has no array {name}, only {', '.join(self._specs)}: {_REMEDY}"
            )
        return self._specs[name]

    def length(self, clip_id: str, name: str) -> int:
        """Instants of a clip's array."""
        spec = self.spec(name)
        n_rows = self._shape(clip_id, spec.parts[-1])[0]
        return n_rows - 1 if spec.is_bytes else n_rows

    def shape(self, clip_id: str, name: str) -> tuple[int, ...]:
        """Instants, and values at each, of a clip's array."""
        spec = self.spec(name)
        return (self.length(clip_id, name),) if spec.is_bytes else self._shape(clip_id, name)

    def read(self, clip_id: str, name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Instants `start` to `stop` of a clip's array, (T, *shape), as they are stored.

        Raises:
            ModelError: if there is no such array, or it is one of byte strings.
        """
        if self.spec(name).is_bytes:
            raise ModelError(f"{self.name}: {name} holds byte strings: read them with read_bytes")
        return self._file.get_slice(f"{clip_id}/{name}")[start:stop]

    def read_bytes(
        self, clip_id: str, name: str, start: int = 0, stop: int | None = None
    ) -> list[np.ndarray]:
        """Byte strings `start` to `stop` of a clip's array, a uint8 array each.

        Raises:
            ModelError: if there is no such array, or it is not one of byte strings.
        """
        spec = self.spec(name)
        if not spec.is_bytes:
            raise ModelError(f"{self.name}: {name} holds no byte strings: read them with read")
        values, offsets = (self._file.get_slice(f"{clip_id}/{part}") for part in spec.parts)
        first, last, _ = slice(start, stop).indices(self.length(clip_id, name))
        if first >= last:
            return []
        bounds = offsets[first : last + 1]
        chunk = values[int(bounds[0]) : int(bounds[-1])]
        return np.split(chunk, bounds[1:-1] - bounds[0])

    def check(self, recipe: Recipe) -> Self:
        """Make sure that the shard fits the recipe, and that it holds what was written.

        One that was written before shards had checksums is read without.

        Raises:
            ModelError: if it does not; the message says what differs.
        """
        made, asked = self.header.settings, recipe.named_settings(FEATURES)
        if self.header.recipe != recipe.name:
            raise ModelError(
                f"{self.name}: its recipe is {self.header.recipe}, "
                f"but {recipe.name} is needed: {_REMEDY}"
            )
        for name in sorted(made.keys() | asked.keys()):
            if (has := made.get(name)) != (needs := asked.get(name)):
                raise ModelError(
                    f"{self.name}: was made with {name} {has}, but {needs} is needed: {_REMEDY}"
                )
        found = _checksum(self._header_text, self._checked_tensors())
        if CHECKSUM in self._file.keys() and not np.array_equal(  # noqa: SIM118 - it is no mapping
            found, self._file.get_tensor(CHECKSUM)
        ):
            raise ModelError(
                f"{self.name}: its checksum is not that of what was written, so it is damaged: "
                f"delete the shard and {_REMEDY}"
            )
        return self

    def _checked_tensors(self) -> Iterator[np.ndarray]:
        for clip_id in self.header.clips:
            for spec in self.header.arrays:
                yield from self._check_array(clip_id, spec)

    def _check_array(self, clip_id: str, spec: ArraySpec) -> Iterable[np.ndarray]:
        try:
            parts = {part: self._file.get_tensor(f"{clip_id}/{part}") for part in spec.parts}
            return spec.check(parts).values()
        except (SafetensorError, ArrayError) as error:
            name = f"{clip_id}/" if isinstance(error, ArrayError) else f"{clip_id}/{spec.name}: "
            raise ModelError(
                f"{self.name}: {name}{error}: delete the shard and {_REMEDY}"
            ) from error

    def _shape(self, clip_id: str, part: str) -> tuple[int, ...]:
        return tuple(self._file.get_slice(f"{clip_id}/{part}").get_shape())

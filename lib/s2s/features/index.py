"""Which shard has which clip: told by the shards' headers, without reading what is in them."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from s2s.dataset import DatasetClip
from s2s.errors import ModelError
from s2s.features.arrays import ArraySpec
from s2s.layout import feature_shards_pattern, features_root
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["HEADER", "ShardHeader", "clip_identity", "find_clips"]

HEADER = "s2s_shard"
"""Name of the header in a shard's metadata."""
_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 100_000_000  # what safetensors allows
_READERS = 16


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


def clip_identity(clip: DatasetClip) -> str:
    """The same as long as neither the clip's picture nor its sound has changed."""
    return f"{clip.crc32c} {clip.wav_crc32c}"


def find_clips(bucket: Bucket, recipe: Recipe) -> dict[tuple[str, str], str]:
    """Keys of the shards that hold a recipe's clips, whichever version they were made for.

    Returns:
        by clip id and identity; where two shards have a clip, the first.

    Raises:
        ModelError: if an object under the features' prefix is not a shard.
    """
    keys = list(_shard_keys(bucket, recipe))
    with ThreadPoolExecutor(_READERS) as pool:
        headers = list(pool.map(partial(_read_header, bucket), keys))
    return {
        found: key
        for key, header in reversed(list(zip(keys, headers, strict=True)))
        for found in header.clips.items()
    }


def _shard_keys(bucket: Bucket, recipe: Recipe) -> Iterator[str]:
    pattern = feature_shards_pattern(recipe)
    return (key for key in bucket.keys(features_root(recipe)) if pattern.fullmatch(key))


def _read_header(bucket: Bucket, key: str) -> ShardHeader:
    """The header of a safetensors file: eight bytes that say its length, then JSON."""
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

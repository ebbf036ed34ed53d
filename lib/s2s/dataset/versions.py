"""Data set versions: which clips are in which split, with the checksums of their files.

A version is an index, `dataset_vN.json`, and one manifest a split, `dataset_vN/<split>.csv`. The
index is written last and create-only: what it names is complete and never changes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from s2s.dataset.clip import SPLITS, DatasetClip, manifest_from_csv, manifest_to_csv
from s2s.errors import ObjectNotFoundError, VersionError
from s2s.layout import dataset_index_key, dataset_manifest_key, dataset_prefix
from s2s.settings import Recipe
from s2s.storage import Bucket, crc32c_of

__all__ = [
    "DatasetIndex",
    "DatasetVersion",
    "latest_version",
    "read_version",
    "version_names",
    "write_version",
]

_VERSION = r"dataset_v[1-9]\d*"


class DatasetIndex(BaseModel):
    """The content of `dataset_vN.json`, the object that makes a version exist.

    Attributes:
        version: `dataset_vN`, also the git tag.
        recipe: name of the recipe whose clips these are.
        manifests: key of each split's manifest.
        crc32c: checksum of each split's manifest.
        counts: clips in each split.
        bundle: key of the git bundle with DVC's files, where there is one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str = Field(pattern=f"^{_VERSION}$")
    recipe: str
    manifests: dict[str, str]
    crc32c: dict[str, str]
    counts: dict[str, int]
    bundle: str = ""


@dataclass(frozen=True)
class DatasetVersion:
    """A data set version in memory.

    Attributes:
        name: `dataset_vN`.
        clips: clips of each split, in the order of its manifest.
        bundle: key of the git bundle with DVC's files, where there is one.
    """

    name: str
    clips: Mapping[str, tuple[DatasetClip, ...]] = field(default_factory=dict)
    bundle: str = ""

    def split(self, name: str) -> tuple[DatasetClip, ...]:
        """Clips of one split; may be empty."""
        return self.clips.get(name, ())


def version_names(bucket: Bucket, recipe: Recipe) -> list[str]:
    """Versions of a recipe's data set, oldest first."""
    prefix = dataset_prefix(recipe)
    pattern = re.compile(re.escape(prefix) + f"({_VERSION})\\.json")
    keys = bucket.keys(f"{prefix}dataset_v")
    names = [match[1] for key in keys if (match := pattern.fullmatch(key))]
    return sorted(names, key=_number)


def latest_version(bucket: Bucket, recipe: Recipe) -> str:
    """The newest version's name.

    Raises:
        VersionError: if there is none.
    """
    names = version_names(bucket, recipe)
    if not names:
        raise VersionError(
            f"{bucket.url}: recipe {recipe.name} has no data set version under "
            f"{dataset_prefix(recipe)!r}: run its validation stage first"
        )
    return names[-1]


def read_version(bucket: Bucket, recipe: Recipe, version: str) -> DatasetVersion:
    """Read a version's manifests, their checksums compared.

    Raises:
        VersionError: if there is no such version, or what it names is missing or damaged.
    """
    key = dataset_index_key(recipe, version)
    try:
        index = DatasetIndex.model_validate_json(bucket.read(key))
        clips = {split: _read_manifest(bucket, index, split) for split in index.manifests}
    except ObjectNotFoundError as error:
        raise VersionError(f"data set version {version} is not there or not whole: {error}") from (
            error
        )
    except ValidationError as error:
        raise VersionError(f"{key}: not a data set index: {error}") from error
    return DatasetVersion(index.version, clips, index.bundle)


def _read_manifest(bucket: Bucket, index: DatasetIndex, split: str) -> tuple[DatasetClip, ...]:
    key = index.manifests[split]
    data = bucket.read(key)
    if crc32c_of(data) != index.crc32c.get(split):
        raise VersionError(
            f"{key}: does not have the checksum that the index of {index.version} gives: "
            "it was changed; pull the version again with DVC"
        )
    return manifest_from_csv(data, key)


def write_version(bucket: Bucket, recipe: Recipe, version: DatasetVersion) -> DatasetIndex:
    """Write a version's manifests, and its index last.

    Raises:
        ObjectExistsError: if another version of that name is there.
        VersionError: if a label holds "|".
    """
    manifests: dict[str, str] = {}
    checksums: dict[str, str] = {}
    for split in SPLITS:
        key = dataset_manifest_key(recipe, version.name, split)
        manifests[split] = key
        data = manifest_to_csv(version.split(split))
        checksums[split] = bucket.write(key, data).crc32c
    index = DatasetIndex(
        version=version.name,
        recipe=recipe.name,
        manifests=manifests,
        crc32c=checksums,
        counts={split: len(version.split(split)) for split in SPLITS},
        bundle=version.bundle,
    )
    body = index.model_dump_json(indent=2).encode("utf-8")
    bucket.write(dataset_index_key(recipe, version.name), body)
    return index


def _number(version: str) -> int:
    return int(version.removeprefix("dataset_v"))

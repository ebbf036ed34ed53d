"""Data set versions: which clips are in which split, with the checksums of their files.

A version is an index, `dataset_vN.json`, and one manifest a split, `dataset_vN/<split>.csv`. The
index is written last and create-only: what it names is complete and never changes.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from s2s.errors import ObjectNotFoundError, VersionError
from s2s.layout import dataset_index_key, dataset_manifest_key, dataset_prefix
from s2s.settings import Recipe
from s2s.storage import Bucket, crc32c_of

__all__ = [
    "SPLITS",
    "DatasetClip",
    "DatasetIndex",
    "DatasetVersion",
    "Split",
    "latest_version",
    "manifest_from_csv",
    "manifest_to_csv",
    "read_version",
    "version_names",
    "write_version",
]

Split = Literal["train", "val", "test"]
SPLITS = ("train", "val", "test")
LABEL_SEPARATOR = "|"
_VERSION = r"dataset_v[1-9]\d*"
_Fraction = Annotated[float, Field(ge=0, le=1)]


@checked_dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class DatasetClip:
    """One clip of a data set version: a row of a split manifest.

    With slots, because there may be a million in memory.

    Attributes:
        clip_id: the clip.
        source_id: the source it was cut from; a source is in one split only.
        start_s: where it starts in its source, in seconds.
        end_s: where it ends, in seconds.
        labels: its classes; none contains "|".
        split: train, val or test.
        key: its mp4 in the bucket.
        size: bytes of the mp4.
        crc32c: checksum of the mp4, base64 as Google Cloud Storage writes it.
        sha256: checksum of the mp4, hexadecimal.
        wav_key: its mono wav in the bucket.
        wav_size: bytes of the wav.
        wav_crc32c: checksum of the wav.
        wav_sha256: checksum of the wav.
        fold: which part of a cross validation it is in, from 0; None where there are no folds.
        duration_s: length of the picture; this and what follows is 0 or empty where not measured.
        fps: its frames a second.
        width: its pixels.
        height: its pixels.
        loudness_dbfs: the loudest sample.
        mean_dbfs: power of the sound on average.
        picture_hash: perceptual hashes of the picture as it is, mirrored, and of its middle,
            64 hexadecimal digits each.
        sound_hash: fingerprint of the sound, hexadecimal.
        moment_hashes: both around each moment where the sound rises most, separated by spaces.
        face_xy: position of a face as fractions of the picture, where it is part of the clip's
            identity; in a manifest, the columns `face_x` and `face_y`.
    """

    clip_id: str = Field(min_length=1)
    source_id: str = Field(min_length=1)
    start_s: float = Field(ge=0)
    end_s: float = Field(gt=0)
    labels: tuple[str, ...] = ()
    split: Split
    key: str = Field(min_length=1)
    size: int = Field(ge=1)
    crc32c: str = Field(min_length=8)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    wav_key: str = Field(min_length=1)
    wav_size: int = Field(ge=1)
    wav_crc32c: str = Field(min_length=8)
    wav_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    fold: int | None = Field(default=None, ge=0)
    duration_s: float = 0.0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    loudness_dbfs: float = 0.0
    mean_dbfs: float = 0.0
    picture_hash: str = ""
    sound_hash: str = ""
    moment_hashes: str = ""
    face_xy: tuple[_Fraction, _Fraction] | None = None

    def to_row(self) -> dict[str, str]:
        """The clip as a row of a manifest."""
        row = {name: str(getattr(self, name)) for name in COLUMNS if name not in _FACE}
        row["fold"] = "" if self.fold is None else str(self.fold)
        face = map(str, self.face_xy or ("", ""))
        labels = LABEL_SEPARATOR.join(self.labels)
        return row | dict(zip(_FACE, face, strict=True)) | {"labels": labels}

    @staticmethod
    def from_row(row: Mapping[str, str]) -> "DatasetClip":
        """Read a manifest's row.

        Raises:
            ValidationError: if a value is missing or wrong.
        """
        labels = tuple(label for label in row.get("labels", "").split(LABEL_SEPARATOR) if label)
        face = tuple(row.get(name, "") for name in _FACE)
        values: dict[str, Any] = {name: value for name, value in row.items() if name not in _FACE}
        values |= {"fold": row.get("fold") or None, "face_xy": face if any(face) else None}
        return _CHECKED.validate_python({**values, "labels": labels})


_CHECKED = TypeAdapter(DatasetClip)
_FACE = ("face_x", "face_y")
COLUMNS = (*(field.name for field in fields(DatasetClip) if field.name != "face_xy"), *_FACE)
_REQUIRED = frozenset(COLUMNS[: COLUMNS.index("fold")])


class DatasetIndex(BaseModel):
    """What `dataset_vN.json` says: the object that makes a version exist.

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


def manifest_to_csv(clips: Iterable[DatasetClip]) -> bytes:
    r"""A split's manifest as CSV in UTF-8: a header and one row a clip, lines end with "\n".

    Raises:
        VersionError: if a label holds "|", which separates labels.
    """
    data = io.BytesIO()
    text = io.TextIOWrapper(data, "utf-8", newline="", write_through=True)
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for clip in clips:
        if any(LABEL_SEPARATOR in label for label in clip.labels):
            raise VersionError(
                f"{clip.clip_id}: a label of {clip.labels} holds {LABEL_SEPARATOR!r}, "
                "which separates labels: rename it in the catalog"
            )
        writer.writerow(clip.to_row())
    return data.getvalue()


def manifest_from_csv(data: bytes, name: str) -> tuple[DatasetClip, ...]:
    """Read a split's manifest.

    Args:
        data: the CSV in UTF-8.
        name: its key or path, for messages.

    Raises:
        VersionError: if a column is missing, or a row is wrong; the message has its line.
    """
    reader = csv.DictReader(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline=""))
    found = [name for name in COLUMNS if name in (reader.fieldnames or ())]
    missing = _REQUIRED - set(found)
    if missing:
        raise VersionError(
            f"{name}: columns {', '.join(sorted(missing))} are missing: "
            "make the version again with './s2s validation RECIPE'"
        )
    clips = []
    for row in reader:
        try:
            clips.append(DatasetClip.from_row({column: row[column] or "" for column in found}))
        except ValidationError as error:
            first = error.errors()[0]
            raise VersionError(
                f"{name}, line {reader.line_num}: {first['loc'][0]}: {first['msg']}"
            ) from error
    return tuple(clips)


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

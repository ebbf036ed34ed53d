"""Clips of a data set version, and the CSV manifests that list them."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import field, fields
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from s2s.errors import VersionError

__all__ = ["SPLITS", "DatasetClip", "Split", "manifest_from_csv", "manifest_to_csv"]

Split = Literal["train", "val", "test"]
SPLITS = ("train", "val", "test")
LABEL_SEPARATOR = "|"
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
        source_path: the file that it was taken from, below the folder that was taken over; empty
            for what was downloaded. It says where to look and nothing of the clip: two clips that
            differ in it alone are equal.
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
    source_path: str = field(default="", compare=False)

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

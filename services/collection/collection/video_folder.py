"""A folder, or a prefix in a bucket, with videos that one already has."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from s2s.catalog import RowProblem, label_of_folder, make_clip
from s2s.errors import CatalogError
from s2s.records import ClipRecord
from s2s.settings import Recipe
from s2s.storage import Bucket, open_bucket

__all__ = ["Place", "open_place"]

_SUFFIXES = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"}
_SPLITS = {"train", "val", "valid", "validate", "validation", "test"}
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]+")


class _Files(Protocol):
    def paths(self) -> Iterator[str]: ...

    def copy(self, path: str, target: Path) -> None: ...


@dataclass(frozen=True)
class Place:
    """Videos somewhere.

    Attributes:
        url: where, for messages.
        files: how they are listed and read.
    """

    url: str
    files: _Files

    def paths(self) -> list[str]:
        """Paths of the videos below the place, in order; other files and hidden ones are not."""
        return [
            path
            for path in sorted(self.files.paths())
            if PurePosixPath(path).suffix.lower() in _SUFFIXES
            and not any(part.startswith(".") for part in PurePosixPath(path).parts)
        ]

    def copy(self, path: str, target: Path) -> None:
        """Copy a video to a file."""
        self.files.copy(path, target)

    def clips(self, recipe: Recipe) -> Iterator[ClipRecord | RowProblem]:
        """A clip of each video, from its start on, `spec.duration_s` long.

        The folder that it is in names its label; a folder above with a split's name, its split.
        """
        for place, path in enumerate(self.paths(), start=1):
            folders = list(PurePosixPath(path).parts[:-1])
            split = folders.pop(0) if folders and folders[0] in _SPLITS else None
            labels = [label_of_folder(name) for name in folders[-1:]]
            try:
                source_id = self.source_id(path, recipe)
                yield make_clip(source_id, 0.0, recipe.spec.duration_s, labels, split)
            except ValueError as error:
                yield RowProblem(place, f"{path}: {error}")

    def source_id(self, path: str, recipe: Recipe) -> str:
        """Name a video: by its own name, and by its path, as names come twice."""
        digest = hashlib.sha256(f"{recipe.name}/{path}".encode()).hexdigest()[:10]
        return f"{_NOT_IN_IDS.sub('-', PurePosixPath(path).stem)[:80]}-{digest}"


@dataclass(frozen=True)
class _Folder:
    folder: Path

    def paths(self) -> Iterator[str]:
        for root, _, names in os.walk(self.folder):
            yield from ((Path(root) / name).relative_to(self.folder).as_posix() for name in names)

    def copy(self, path: str, target: Path) -> None:
        shutil.copyfile(self.folder / path, target)


@dataclass(frozen=True)
class _Prefix:
    bucket: Bucket
    prefix: str

    def paths(self) -> Iterator[str]:
        return (key.removeprefix(self.prefix) for key in self.bucket.keys(self.prefix))

    def copy(self, path: str, target: Path) -> None:
        self.bucket.download(self.prefix + path, target)


def open_place(text: str, base: Path) -> Place:
    """Open a folder, or `gs://NAME/PREFIX`.

    Args:
        text: where; a folder may also be written `file://FOLDER`.
        base: what a relative folder is relative to.

    Raises:
        CatalogError: if there is no such folder.
    """
    scheme, separator, rest = text.partition("://")
    if separator and scheme != "file":
        name, _, prefix = rest.partition("/")
        prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        return Place(text, _Prefix(open_bucket(f"{scheme}://{name}"), prefix))
    folder = base / Path(rest if separator else text).expanduser()
    if not folder.is_dir():
        raise CatalogError(f"{folder} is no folder: name one with videos, or gs://NAME/PREFIX")
    return Place(str(folder), _Folder(folder))

"""A folder, or a prefix in a bucket, with videos that one already has."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from rich.markup import escape

from collection.video_files import BucketFiles, FolderFiles, VideoFiles, printable
from s2s.catalog import VIDEO_FOLDERS, RowProblem, known_split, make_clip
from s2s.errors import CatalogError
from s2s.layout import label_of_folder
from s2s.logs import console
from s2s.records import ClipRecord
from s2s.settings import Recipe

__all__ = [
    "VideoFolder",
    "open_video_folder",
    "say_passed_over",
    "say_splits_below_others",
]

# What the guarded open takes, and what a refusal with a reason is due to.
_SUFFIXES = {
    *(".3g2", ".3gp", ".asf", ".avi", ".divx", ".f4v", ".flv", ".m1v", ".m2t", ".m2ts", ".m2v"),
    *(".m4v", ".mjpeg", ".mkv", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mts", ".mxf", ".ogm"),
    *(".ogv", ".qt", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
}
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]+")
_SHOWN_SUFFIXES = 8


@dataclass(frozen=True)
class VideoFolder:
    """Videos below a folder, or a prefix in a bucket.

    Attributes:
        url: where, for messages.
        files: how they are listed and read.
    """

    url: str
    files: VideoFiles

    @cached_property
    def _visible(self) -> list[str]:
        """Paths of all files but hidden ones, in order."""
        return sorted(
            path
            for path in self.files.paths()
            if not any(part.startswith(".") for part in PurePosixPath(path).parts)
        )

    def paths(self) -> list[str]:
        """Paths of the videos, told by their names, in order."""
        return [path for path in self._visible if _suffix(path) in _SUFFIXES]

    def passed_over(self) -> dict[str, int]:
        """How many other files there are, by the end of their names; the most frequent first."""
        others = Counter(map(_suffix, self._visible))
        return {suffix: n for suffix, n in others.most_common() if suffix not in _SUFFIXES}

    def copy(self, path: str, target: Path) -> None:
        """Copy a video to a file."""
        self.files.copy(path, target)

    def are_equal(self, path: str, other: str) -> bool:
        """Whether two videos have the same bytes."""
        return self.files.are_equal(path, other)

    def clips(self, recipe: Recipe) -> Iterator[ClipRecord | RowProblem]:
        """A clip of each video, from its start on, `spec.duration_s` long.

        The folder that it is in names its label; a folder above with a split's name, its split.
        A folder in a label's that is called `videos`, as VAS has them, names none. Where splits are
        to be kept, a folder that stands where others have a split's name is taken for a split, too:
        whoever reads the clips refuses one that is not known (`check_splits`).
        """
        names = recipe.collection.split_names
        n_least = self._depth_of_splits(names) if recipe.validation.keep_catalog_split else None
        for place, path in enumerate(self.paths(), start=1):
            folders = _folders(path)
            is_split = _begins_with_split(folders, names) or (
                n_least is not None and _depth(folders) >= n_least
            )
            split = folders.pop(0) if is_split else None
            if _is_passed_over(folders):
                folders.pop()
            labels = [label_of_folder(name) for name in folders[-1:]]
            try:
                source_id = self.source_id(path, recipe)
                end_s = recipe.spec.duration_s
                yield make_clip(source_id, 0.0, end_s, labels, split, source_path=path)
            except ValueError as error:
                yield RowProblem(place, f"{printable(path)}: {error}")

    def _depth_of_splits(self, names: Mapping[str, str]) -> int | None:
        """How many folders the shortest path has that begins with a split; None without one."""
        of_all = map(_folders, self.paths())
        depths = (_depth(each) for each in of_all if _begins_with_split(each, names))
        return min(depths, default=None)

    def splits_below_others(self, recipe: Recipe) -> list[str]:
        """Paths with a split's name below another folder, where it is taken for no split."""
        names = recipe.collection.split_names
        return [
            path
            for path in self.paths()
            if (folders := _folders(path))
            and not _begins_with_split(folders, names)
            and any(known_split(name, names) for name in folders[1:])
        ]

    def named(self, recipe: Recipe) -> Iterator[tuple[str, str]]:
        """The source's id and the path of each video that has one."""
        for path in self.paths():
            if printable(path) == path:
                yield self.source_id(path, recipe), path

    def source_id(self, path: str, recipe: Recipe) -> str:
        """Name a video: by its own name, and by its path, as names come twice.

        Raises:
            ValueError: if its path is not UTF-8, so that no other machine would read it alike.
        """
        if printable(path) != path:
            raise ValueError("its name, or a folder's, is not UTF-8: rename it")
        digest = hashlib.sha256(f"{recipe.name}/{path}".encode()).hexdigest()[:10]
        return f"{_NOT_IN_IDS.sub('-', PurePosixPath(path).stem)[:80]}-{digest}"


def _folders(path: str) -> list[str]:
    return list(PurePosixPath(path).parts[:-1])


def _is_passed_over(folders: Sequence[str]) -> bool:
    """Whether the last folder says nothing, as VAS' `videos` in a label's folder."""
    return len(folders) > 1 and folders[-1].casefold() in VIDEO_FOLDERS


def _depth(folders: Sequence[str]) -> int:
    return len(folders) - _is_passed_over(folders)


def _begins_with_split(folders: Sequence[str], names: Mapping[str, str]) -> bool:
    return bool(folders) and known_split(folders[0], names) is not None


def say_passed_over(passed_over: Mapping[str, int]) -> None:
    """Tell which files of a folder are not taken for videos."""
    if not passed_over:
        return
    named = [f"{n} {suffix or 'without an end'}" for suffix, n in passed_over.items()]
    more = [f"and {len(named) - _SHOWN_SUFFIXES} more kinds"] * (len(named) > _SHOWN_SUFFIXES)
    console.print(
        f"Passed over, as their names do not end as a video's: "
        f"{', '.join([*named[:_SHOWN_SUFFIXES], *more])}",
        highlight=False,
        markup=False,
    )


def say_splits_below_others(paths: Sequence[str]) -> None:
    """Warn of videos whose folders have a split's name where it is taken for no split."""
    if paths:
        console.print(
            f"[yellow]Without a split, although a folder has a split's name: {len(paths):,} videos "
            f"(first {escape(printable(paths[0]))}).[/] Only a folder at the top is taken for a "
            "split: put the splits' folders above the labels'",
            highlight=False,
        )


def _suffix(path: str) -> str:
    return printable(PurePosixPath(path).suffix.lower())


def open_video_folder(text: str, base: Path) -> VideoFolder:
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
        return VideoFolder(text, BucketFiles(f"{scheme}://{name}", prefix))
    folder = base / Path(rest if separator else text).expanduser()
    if not folder.is_dir():
        raise CatalogError(f"{folder} is no folder: name one with videos, or gs://NAME/PREFIX")
    return VideoFolder(str(folder), FolderFiles(folder))

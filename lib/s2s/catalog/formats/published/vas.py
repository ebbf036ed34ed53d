"""VAS' lists: a file a line, `dog/video_02657`, as SpecVQGAN has them.

Files are numbered anew in each class, so a source is called `dog_video_02657`; a name without its
class, as RegNet's lists of one class have them, is nobody's. Files are cut already.
"""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import ClassVar

from s2s.catalog.formats.folders import SplitFolders
from s2s.catalog.formats.rows import LineFormat, make_clip
from s2s.catalog.formats.text import path_of_line
from s2s.catalog.formats.values import number
from s2s.records import ClipRecord

__all__ = ["VAS", "VIDEO_FOLDERS", "name_in_folder"]

VIDEO_FOLDERS = {"video", "videos"}
"""What folders are called that hold videos, and say nothing of them."""

_FILE = re.compile(r"video_[0-9]{3,6}")
_CLASS = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class VAS(LineFormat):
    """The format of VAS.

    Attributes:
        duration_s: length of every clip, which the rows do not give.
        splits: which folders are splits.
    """

    name: ClassVar[str] = "vas"
    duration_s: float
    splits: SplitFolders = field(default_factory=SplitFolders)

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        name = PurePosixPath(path_of_line(line)).name.partition(".")[0]
        if not _FILE.fullmatch(name):
            raise ValueError("is no file name such as dog/video_00001")
        split, label = self.splits.split_and_label(self.folders_of(line))
        if not label:
            raise ValueError(f"names no class, and each has a {name}: write dog/{name}")
        return make_clip(name_in_folder(label, name), 0.0, self.duration_s, [label], split)

    @staticmethod
    def folders_of(line: bytes) -> list[str]:
        """The folders that a row's file is in; one that is called `videos` says nothing."""
        *folders, _ = PurePosixPath(path_of_line(line)).parts or ("",)
        if len(folders) > 1 and folders[-1].casefold() in VIDEO_FOLDERS:
            folders.pop()
        return [name for name in folders if name.strip("./")]

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        label = "".join(clip.labels)
        if len(clip.labels) != 1 or not _CLASS.fullmatch(label) or self.splits.knows(label):
            raise ValueError("its labels are not one class, in letters, digits, - and _")
        name = clip.source_id.removeprefix(name_in_folder(label, ""))
        if not _FILE.fullmatch(name) or name == clip.source_id:
            raise ValueError(f"its source is not called {name_in_folder(label, 'video_00001')}")
        if (clip.start_s, clip.end_s) != (0.0, self.duration_s):
            raise ValueError(f"it is not the first {number(self.duration_s)} s of its file")
        if clip.split and not self.splits.knows(clip.split):
            raise ValueError(f"a folder {clip.split!r} would not be taken for a split")
        return "/".join(filter(None, (clip.split, label, name)))


def name_in_folder(label: str, file: str) -> str:
    """Name a file after its folder too, as files of several folders may be called alike."""
    return f"{label}_{file}"

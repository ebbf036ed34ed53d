"""Kinetics' catalogs as CSV, and lists of files that are named for their clips.

CSV has the columns `label,youtube_id,time_start,time_end,split` and in Kinetics-400 `is_cc`; files
for testing have no label. A list has a path a line. Kinetics calls its files
`<id>_<start, 6 digits>_<end, 6 digits>.mp4`, in seconds; SpecVQGAN `<id>_<start>_<end>`, in
milliseconds. Folders in front name the label and the split; a class number may stand behind.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Self

from s2s.catalog.formats.folders import SplitFolders
from s2s.catalog.formats.rows import LineFormat, make_clip
from s2s.catalog.formats.text import path_of_line, split_line
from s2s.catalog.formats.values import MAX_S, number, seconds
from s2s.layout import folder_name, label_of_folder
from s2s.records import ClipRecord

__all__ = ["KINETICS_COLUMNS", "FileList", "KineticsCsv"]

KINETICS_COLUMNS = ("youtube_id", "time_start", "time_end")
_ALL_COLUMNS = ("label", *KINETICS_COLUMNS, "split", "is_cc")
_PATH = re.compile(
    r"(?P<folders>(?:[^/]*/)*)(?P<id>[A-Za-z0-9_-]{11})_(?P<start>[0-9]{1,9})_(?P<end>[0-9]{1,9})"
    r"(\.[A-Za-z0-9]+)?([ \t,;]+[0-9]+)?"
)
_SECONDS_DIGITS = 6
# No data set has clips so short: such numbers are in another unit.
_SHORTEST_MS = 100


@dataclass(frozen=True)
class KineticsCsv(LineFormat):
    """Kinetics as CSV.

    Attributes:
        columns: names in the first line, in any case.
        delimiter: between cells.
    """

    name: ClassVar[str] = "kinetics"
    columns: tuple[str, ...] = _ALL_COLUMNS
    delimiter: str = ","

    @cached_property
    def _folded(self) -> tuple[str, ...]:
        return tuple(map(str.casefold, self.columns))

    @property
    def header(self) -> str:
        """See `LineFormat.header`."""
        return self.delimiter.join(self.columns)

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        fields = split_line(line, self.delimiter)
        if len(fields) != len(self.columns):
            raise ValueError(
                f"has {len(fields)} columns, not {len(self.columns)} as the first line; "
                "a label with a comma needs quotes"
            )
        row = dict(zip(self._folded, fields, strict=True))
        is_cc = {"0": False, "1": True, "": None}.get(row.get("is_cc", ""), row.get("is_cc"))
        return make_clip(
            row["youtube_id"],
            seconds(row["time_start"], "time_start"),
            seconds(row["time_end"], "time_end"),
            [row.get("label", "")],
            row.get("split"),
            is_cc=is_cc,
        )

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        if len(clip.labels) > 1:
            raise ValueError(f"it has {len(clip.labels)} labels, and there is a place for one")
        row = {
            "label": self._quoted("".join(clip.labels)),
            "youtube_id": clip.source_id,
            "time_start": number(clip.start_s),
            "time_end": number(clip.end_s),
            "split": self._quoted(clip.split or ""),
            "is_cc": "" if clip.is_cc is None else str(int(clip.is_cc)),
        }
        if homeless := [name for name in row if name not in self._folded and row[name]]:
            raise ValueError(f"there is no column {homeless[0]}")
        return self.delimiter.join(row.get(name, "") for name in self._folded)

    def _quoted(self, text: str) -> str:
        """As the published files have it: in quotes where there is a space."""
        needs_quotes = re.search(rf'[ ,"{re.escape(self.delimiter)}]', text)
        return '"' + text.replace('"', '""') + '"' if needs_quotes else text


@dataclass(frozen=True)
class FileList(LineFormat):
    """A list of files that are named for their clips.

    Attributes:
        in_ms: files are named in milliseconds where clips are written.
        splits: which folders are splits.
    """

    name: ClassVar[str] = "kinetics"
    in_ms: bool = False
    splits: SplitFolders = field(default_factory=SplitFolders)

    @classmethod
    def of_lines(cls, lines: Iterable[bytes]) -> Self:
        """The form that a file is in, by its first lines: in milliseconds where one of them is."""
        return cls(in_ms=any(map(_names_in_ms, lines)))

    def is_clip(self, place: int, line: bytes) -> bool:  # noqa: ARG002
        """See `LineFormat.is_clip`; a label may begin with `#`."""
        return not line.startswith(b"#") or b"/" in line

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        match = _PATH.fullmatch(path_of_line(line))
        if match is None:
            raise ValueError("is no file name such as [label/]<id>_000001_000011.mp4")
        split, label = self.splits.split_and_label(self.folders_of(line))
        start_s, end_s = _times_s(match["start"], match["end"])
        return make_clip(match["id"], start_s, end_s, [label_of_folder(label)], split)

    @staticmethod
    def folders_of(line: bytes) -> list[str]:
        """The folders that a row's file is in."""
        *folders, _ = path_of_line(line).split("/")
        return [name for name in folders if name.strip(".")]

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        if len(clip.labels) > 1:
            raise ValueError(f"it has {len(clip.labels)} labels, and there is a place for one")
        folders = [folder_name(name) for name in (clip.split, *clip.labels) if name]
        if clip.labels and self.splits.knows(folders[-1]):
            raise ValueError(f"a folder {folders[-1]!r} would be taken for a split")
        if clip.split and not self.splits.knows(clip.split):
            raise ValueError(f"a folder {clip.split!r} would not be taken for a split")
        times_ms = [round(time_s * 1000) for time_s in (clip.start_s, clip.end_s)]
        if self.in_ms:
            if _times_s(*map(str, times_ms)) != (clip.start_s, clip.end_s):
                raise ValueError("it is too short for a name in milliseconds")
            name = "_".join(map(str, times_ms))
        elif any(time_ms % 1000 for time_ms in times_ms):
            raise ValueError("its times are no whole seconds")
        else:
            name = "_".join(f"{time_ms // 1000:06d}" for time_ms in times_ms)
        return "/".join([*folders, f"{clip.source_id}_{name}{'' if self.in_ms else '.mp4'}"])


def _names_in_ms(line: bytes) -> bool:
    """Whether a line names its file in milliseconds."""
    match = _PATH.fullmatch(line.decode("utf-8", "replace").strip().replace("\\", "/"))
    return match is not None and not _is_in_seconds(match["start"], match["end"])


def _times_s(start: str, end: str) -> tuple[float, float]:
    if _is_in_seconds(start, end):
        return float(start), float(end)
    first_ms, last_ms = int(start), int(end)
    if 0 < last_ms - first_ms < _SHORTEST_MS:
        raise ValueError(
            f"{start} to {end} is less than {number(_SHORTEST_MS / 1000)} s if it is in "
            f"milliseconds; seconds have {_SECONDS_DIGITS} digits"
        )
    if last_ms > MAX_S * 1000:
        raise ValueError(f"{end} ms is more than {MAX_S:.0f} seconds")
    return first_ms / 1000, last_ms / 1000


def _is_in_seconds(start: str, end: str) -> bool:
    """Six digits behind a zero, as all of a day are; milliseconds have no zeros in front."""
    return all(len(text) == _SECONDS_DIGITS and text.startswith("0") for text in (start, end))

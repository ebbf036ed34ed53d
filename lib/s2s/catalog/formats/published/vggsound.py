"""VGGSound's catalogs, and VGGSounder's table of better labels for its test clips.

The published list is `id,start in seconds,label[,split]`, without a header and without an end. The
benchmark's own lists name files: `<id>_<start, 6 digits>.mp4,label`. VGGSounder has a row for each
label of a clip, which it calls `<id>_<start, 6 digits>`.
"""

import csv
import io
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from s2s.catalog.formats.folders import SplitFolders
from s2s.catalog.formats.rows import LineFormat, Row, clip_or_problem, make_clip, unwritable
from s2s.catalog.formats.text import join_quoted, numbered_lines, path_of_line, split_line
from s2s.catalog.formats.values import number, seconds
from s2s.records import ClipRecord

__all__ = ["VGGSOUNDER_COLUMNS", "VGGSound", "VGGSoundFiles", "VGGSounder"]

VGGSOUNDER_COLUMNS = ("video_id", "label", "modality")
_FILE = re.compile(r"(?:.*[/\\])?(?P<id>[A-Za-z0-9_-]{11})_(?P<start>[0-9]{6})(\.[A-Za-z0-9]+)?")


@dataclass(frozen=True)
class _LabelledRows(LineFormat):
    """Rows of a clip's place, its label and, where there is one, its split.

    Attributes:
        place: the cells that name the source and the start, as an error shows them.
        duration_s: length of every clip, which the rows do not give.
        delimiter: between cells.
    """

    name: ClassVar[str] = "vggsound"
    place: ClassVar[tuple[str, ...]]
    duration_s: float
    delimiter: str = ","

    @abstractmethod
    def _parse_place(self, cells: Sequence[str]) -> tuple[str, float]:
        """The source and the start in seconds.

        Raises:
            ValueError: if the cells do not name them.
        """

    @abstractmethod
    def _write_place(self, clip: ClipRecord) -> list[str]:
        """The cells that name a clip's source and start.

        Raises:
            ValueError: if they have no room for them.
        """

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        cells, width = split_line(line, self.delimiter), len(self.place)
        if len(cells) not in {width + 1, width + 2}:
            raise ValueError(
                f"has {len(cells)} columns, not {','.join(self.place)},label[,split]; "
                "a label with a comma needs quotes"
            )
        source_id, start_s = self._parse_place(cells[:width])
        label, *split = cells[width:]
        end_s = round(start_s + self.duration_s, 6)
        told = "".join(split) or self._split_of(cells[0])
        return make_clip(source_id, start_s, end_s, [label], told)

    def _split_of(self, name: str) -> str | None:  # noqa: ARG002
        """The split that the first cell tells."""
        return None

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        cells = [*self._write_place(clip), _one_label(clip, self.duration_s)]
        return _joined(cells + [clip.split] * bool(clip.split), self.delimiter)


@dataclass(frozen=True)
class VGGSound(_LabelledRows):
    """The published list: a row has the source's id and the start in seconds."""

    place: ClassVar[tuple[str, ...]] = ("id", "start")

    def _parse_place(self, cells: Sequence[str]) -> tuple[str, float]:
        source_id, start = cells
        return source_id, seconds(start, "start")

    def _write_place(self, clip: ClipRecord) -> list[str]:
        return [clip.source_id, number(clip.start_s)]


@dataclass(frozen=True)
class VGGSoundFiles(_LabelledRows):
    """The benchmark's lists: a row has the name of a clip's file.

    Attributes:
        splits: which folders are splits, where a row has no other.
    """

    place: ClassVar[tuple[str, ...]] = ("<id>_000030.mp4",)
    splits: SplitFolders = field(default_factory=SplitFolders)

    def folders_of(self, line: bytes) -> list[str]:
        """The folders that a row's file is in."""
        return _folders(split_line(line, self.delimiter)[0])

    def _split_of(self, name: str) -> str | None:
        return self.splits.split_and_label(_folders(name))[0]

    def _parse_place(self, cells: Sequence[str]) -> tuple[str, float]:
        return _parse_file(cells[0])

    def _write_place(self, clip: ClipRecord) -> list[str]:
        return [f"{_file_name(clip)}.mp4"]


@dataclass(frozen=True)
class VGGSounder:
    """VGGSounder's table: rows of one clip, each with one of its labels, become one clip.

    They need not stand together: the table is held while it is read, as it lists test clips only.

    Attributes:
        duration_s: length of every clip.
        columns: names in the first line.
        delimiter: between cells.
    """

    name: ClassVar[str] = "vggsounder"
    duration_s: float
    columns: tuple[str, ...] = VGGSOUNDER_COLUMNS
    delimiter: str = ","

    def read(self, path: Path) -> Iterator[Row]:
        """See `CatalogFormat.read`; a clip's number is that of its first row."""
        labels: dict[str, list[str]] = {}
        first_line: dict[str, int] = {}
        with closing(numbered_lines(path)) as lines:
            rows = join_quoted(lines, self.delimiter)
            next(rows, None)
            for line_number, line in rows:
                cells = clip_or_problem(self._cells, line)
                if isinstance(cells, str):
                    yield line_number, cells
                    continue
                file, label = cells
                first_line.setdefault(file, line_number)
                known = labels.setdefault(file, [])
                if label not in known:
                    known.append(label)
        for file, line_number in first_line.items():
            yield line_number, clip_or_problem(self._clip, (file, labels[file]))

    def write(self, clips: Iterable[ClipRecord], path: Path) -> None:
        """See `CatalogFormat.write`; of the columns only the clip and its label are filled."""
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(_joined(self.columns, self.delimiter) + "\n")
            for clip in clips:
                try:
                    name = _file_name(clip)
                except ValueError as error:
                    raise unwritable(clip, self.name, error) from error
                for label in clip.labels or ("",):
                    cells = {"video_id": name, "label": label}
                    row = [cells.get(column.casefold(), "") for column in self.columns]
                    file.write(_joined(row, self.delimiter) + "\n")

    def _cells(self, line: bytes) -> tuple[str, str]:
        fields = split_line(line, self.delimiter)
        if len(fields) != len(self.columns):
            raise ValueError(f"has {len(fields)} columns, not {len(self.columns)} as the header")
        row = dict(zip(map(str.casefold, self.columns), fields, strict=True))
        _parse_file(row["video_id"])
        return row["video_id"], row["label"]

    def _clip(self, content: tuple[str, list[str]]) -> ClipRecord:
        file, labels = content
        source_id, start_s = _parse_file(file)
        return make_clip(source_id, start_s, round(start_s + self.duration_s, 6), labels)


def _parse_file(name: str) -> tuple[str, float]:
    """The source and the start that a file is named for.

    Raises:
        ValueError: if it is not named so.
    """
    match = _FILE.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is no file name such as <id>_000030.mp4")
    return match["id"], seconds(match["start"], "start")


def _folders(name: str) -> list[str]:
    *folders, _ = path_of_line(name.encode()).split("/")
    return [folder for folder in folders if folder.strip(".")]


def _file_name(clip: ClipRecord) -> str:
    if clip.start_s % 1:
        raise ValueError("its start is no whole second")
    if not _FILE.fullmatch(name := f"{clip.source_id}_{clip.start_s:06.0f}"):
        raise ValueError("its source has no id of 11 characters")
    return name


def _one_label(clip: ClipRecord, duration_s: float) -> str:
    if len(clip.labels) > 1:
        raise ValueError(f"it has {len(clip.labels)} labels, and there is a place for one")
    if abs(clip.duration_s - duration_s) > 1e-3:
        raise ValueError(
            f"it is {number(clip.duration_s)} s long, all are {number(duration_s)} s long"
        )
    return "".join(clip.labels)


def _joined(fields: Iterable[str | None], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="").writerow(fields)
    return text.getvalue()

"""The beginning of a file: it tells the format, whether there are clips, and the unit of times."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from statistics import median

from s2s.catalog.formats.rows import CatalogFormat, CutOff, Row
from s2s.catalog.formats.text import NumberedLine, numbered_lines, open_text, split_line
from s2s.catalog.formats.values import number
from s2s.errors import CatalogError
from s2s.records import ClipRecord

__all__ = [
    "DELIMITERS",
    "HEAD_LINES",
    "PARQUET",
    "Head",
    "check_first_rows",
    "check_whole",
    "is_row",
]

DELIMITERS = (",", "\t", ";", "|")
HEAD_LINES = 200
PARQUET = b"PAR1"
_HEAD_BYTES = 1 << 16
# Clips of a quarter of an hour that do not begin where their source does are none that anybody
# learns from; in milliseconds they are a second long.
_LONGEST_S = 1000.0
# Where only starts are told: most videos do not last so long.
_LATE_S = 3 * 3600.0
_FEW = 3
_ABOUT = 0.25


@dataclass(frozen=True)
class Head:
    """The beginning of a file.

    Attributes:
        path: the file.
        name: what it is called, for messages.
        start: its first bytes, as text.
        lines: its first lines, with blank ones.
    """

    path: Path
    name: str
    start: bytes
    lines: list[NumberedLine]

    @classmethod
    def of(cls, path: Path, name: str) -> "Head":
        """Read the beginning of a file; of a Parquet file the signature alone."""
        with path.open("rb") as file:
            if file.read(len(PARQUET)) == PARQUET:
                return cls(path, name, PARQUET, [(1, PARQUET)])
        with open_text(path) as file:
            start = file.read(_HEAD_BYTES)
        with closing(numbered_lines(path)) as lines:
            return cls(path, name, start.lstrip(), list(_first(lines)))

    @cached_property
    def filled(self) -> list[NumberedLine]:
        """Its lines that are not blank."""
        return [(number, line) for number, line in self.lines if line.strip()]

    @property
    def first(self) -> str:
        """The first line that is not blank, of a long one the beginning."""
        return self.filled[0][1].decode("utf-8", "replace") if self.filled else ""

    def columns(self, delimiter: str = ",") -> tuple[str, ...]:
        """Cells of the first line."""
        try:
            return tuple(split_line(self.first.encode(), delimiter))
        except (csv.Error, StopIteration):
            return ()

    def header(self, wanted: tuple[str, ...]) -> tuple[tuple[str, ...], str] | None:
        """The columns and the delimiter of a first line that names some, in any case."""
        for delimiter in DELIMITERS:
            columns = self.columns(delimiter)
            if {name.casefold() for name in wanted} <= set(map(str.casefold, columns)):
                return columns, delimiter
        return None

    @cached_property
    def keys(self) -> list[str]:
        """Keys of the objects that its lines are; none where the first line is no object."""
        objects = [_object_in(line) for _, line in self.filled]
        return list(dict.fromkeys(key for each in objects for key in each)) if objects[0] else []


def _first(lines: Iterator[NumberedLine]) -> Iterator[NumberedLine]:
    """Lines up to so many that are not blank, and to so many bytes; one at least."""
    n_filled = size = 0
    for at, line in lines:
        size += len(line)
        if n_filled and size > _HEAD_BYTES:
            return
        yield at, line[:_HEAD_BYTES]
        n_filled += bool(line.strip())
        if n_filled == HEAD_LINES:
            return


def _object_in(line: bytes) -> dict[str, object]:
    """The JSON object that a line is; an empty one where it is none."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def check_whole(rows: Iterable[Row], name: str) -> None:
    """Make sure that a file does not end in the middle of a row.

    Raises:
        CatalogError: if it does.
    """
    for place, row in rows:
        if isinstance(row, CutOff):
            raise CatalogError(
                f"catalog {name}: is cut off, it ends in the middle of row {place}: {row}. Fetch "
                "it again, or remove what is left of that row and close the file"
            )


def check_first_rows(
    layout: CatalogFormat, path: Path, name: str, *, duration_s: float | None
) -> None:
    """Look at a catalog's first rows together.

    A time of 30000 can be one of seconds; a list of such times is in milliseconds.

    Args:
        layout: how the file is read.
        path: the file.
        name: what it is called, for messages.
        duration_s: how long the recipe's clips are; None if times are seconds, however large.

    Raises:
        CatalogError: if there is no row, a row is cut off, or times seem to be milliseconds.
    """
    with closing(iter(layout.read(path))) as rows:  # pyright: ignore[reportArgumentType]
        numbered = list(islice(rows, HEAD_LINES))
    check_whole(numbered, name)
    first = [row for _, row in numbered]
    if not first:
        raise CatalogError(
            f"catalog {name}: lists no clip, there is nothing below its header. "
            "Was its download cut short? Fetch it again"
        )
    clips = [row for row in first if isinstance(row, ClipRecord)]
    if clips and duration_s is not None and _are_milliseconds(clips, duration_s):
        clip = clips[-1]
        raise CatalogError(
            f"catalog {name}: its times seem to be milliseconds: a clip of {clip.source_id} would "
            f"start at {number(clip.start_s)} s and last for {number(clip.duration_s)} s. Divide "
            "them by 1000; if they are seconds, say collection.time_unit: s in the recipe"
        )


def _are_milliseconds(clips: Sequence[ClipRecord], duration_s: float) -> bool:
    times_s = [time_s for clip in clips for time_s in (clip.start_s, clip.end_s)]
    starts_s = [clip.start_s for clip in clips if clip.start_s]
    if any(time_s % 1 for time_s in times_s):
        return False
    lengths_s = {clip.duration_s for clip in clips}
    length_s = median(clip.duration_s for clip in clips)
    if not starts_s:
        # Whole films begin at 0, too; few of them last so many seconds as clips do thousandths.
        is_as_asked = abs(length_s / 1000 - duration_s) <= _ABOUT * duration_s
        are_round = len(clips) >= _FEW and not any(length_s % 500 for length_s in lengths_s)
        return length_s >= _LONGEST_S and (is_as_asked or are_round)
    if length_s >= _LONGEST_S:
        return median(starts_s) >= _LONGEST_S / 2
    if len(lengths_s) > 1 or len(set(starts_s)) < _FEW:
        return False
    return median(starts_s) >= _LATE_S or not any(start_s % 1000 for start_s in starts_s)


def is_row(line: str, id_column: str) -> bool:
    """Whether an object is a row, and not a table by columns or a catalog by ids."""
    values = {key.casefold(): value for key, value in _object_in(line.encode()).items()}
    return isinstance(values.get(id_column.casefold()), (str, int))

"""What all formats share: rows of a file, and the clips that they make."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from s2s.catalog.formats.text import NumberedLine, NumberedLines, join_quoted
from s2s.catalog.formats.values import check_label, number, source_id_of
from s2s.errors import CatalogError
from s2s.records import ClipRecord

__all__ = [
    "CatalogFormat",
    "CutOff",
    "LineFormat",
    "Row",
    "clip_or_problem",
    "make_clip",
    "unwritable",
]

T = TypeVar("T")
R = TypeVar("R")
Row = tuple[int, ClipRecord | str]
"""A row's number, from 1 as an editor counts lines, and its clip, or what is wrong with it."""

_CLIP = TypeAdapter(ClipRecord)
_NO_TEXT = "is not UTF-8 text"


class CutOff(str):
    """What is wrong with a row in whose middle its file ends: rows behind it are missing."""

    __slots__ = ()


class CatalogFormat(Protocol):
    """How a data set publishes its catalog: read row by row, and written back."""

    name: ClassVar[str]

    def read(self, path: Path) -> Iterator[Row]:
        """Read a file's rows one by one; memory does not grow with them."""
        ...

    def write(self, clips: Iterable[ClipRecord], path: Path) -> None:
        """Write clips as such a file.

        Raises:
            CatalogError: if the format has no place for what a clip holds.
        """
        ...


class LineFormat(ABC):
    """A format whose every row is a clip by itself: an open quote costs one row, not all.

    A format is a subclass with `name`, `clip` and `line`.

    Attributes:
        delimiter: between cells; empty where a row has no cells that could be quoted.
    """

    name: ClassVar[str]
    delimiter: str = ""

    @property
    def header(self) -> str:
        """First line of a file; empty where the first line is a clip."""
        return ""

    @abstractmethod
    def clip(self, line: bytes) -> ClipRecord:
        """Read one row.

        Raises:
            ValueError: if it is no clip.
        """

    @abstractmethod
    def line(self, clip: ClipRecord) -> str:
        """Write one row, without its end.

        Raises:
            ValueError: if the format has no place for what the clip holds.
        """

    def is_clip(self, place: int, line: bytes) -> bool:
        """Whether a row, by its place among those that are not blank, is to be a clip.

        No id begins with `#`, so such a line is a comment.
        """
        return place > 1 if self.header else not line.startswith(b"#")

    def rows(self, lines: Iterable[NumberedLine]) -> Iterator[Row]:
        """Read lines with their numbers, blank ones too."""
        whole = join_quoted(lines, self.delimiter) if self.delimiter else _not_blank(lines)
        for place, (line_number, line) in enumerate(whole, start=1):
            if self.is_clip(place, line):
                yield line_number, clip_or_problem(self.clip, line)

    def read(self, path: Path) -> Iterator[Row]:
        """See `CatalogFormat.read`."""
        with closing(NumberedLines(path)) as lines:
            for number, row in self.rows(lines):
                is_last = number == lines.last[0] and not lines.is_ended
                if is_last and isinstance(row, str):
                    row = self._of_last(lines.last[1], row)  # noqa: PLW2901
                yield number, row

    def _of_last(self, line: bytes, problem: str) -> str:
        """What is wrong with a last line that has no end, and is no clip."""
        if self.breaks_off(line):
            return CutOff(problem)
        if problem == _NO_TEXT:
            return problem
        return f"{problem}. The file ends here, and its last line has no end: is it cut off?"

    def breaks_off(self, line: bytes) -> bool:
        """Whether a last line without an end, which is no clip, can only have been cut off."""
        return bool(self.delimiter) and line.count(b'"') % 2 == 1

    def write(self, clips: Iterable[ClipRecord], path: Path) -> None:
        """See `CatalogFormat.write`."""
        with path.open("w", encoding="utf-8", newline="") as file:
            if self.header:
                file.write(self.header + "\n")
            for clip in clips:
                try:
                    file.write(self.line(clip) + "\n")
                except ValueError as error:
                    raise unwritable(clip, self.name, error) from error


def _not_blank(lines: Iterable[NumberedLine]) -> Iterator[NumberedLine]:
    return ((line_number, line) for line_number, line in lines if line.strip())


def unwritable(clip: ClipRecord, name: str, why: object) -> CatalogError:
    """The error for a clip that a format has no place for."""
    return CatalogError(f"{clip.clip_id}: cannot be written in the format {name}: {why}")


def clip_or_problem(make: Callable[[T], R], raw: T) -> R | str:
    """Make a clip, or a part of one, or say in words why a row is none."""
    try:
        return make(raw)
    except UnicodeDecodeError:
        return _NO_TEXT
    except ValidationError as error:
        return _of_a_value(error)
    except csv.Error as error:
        return _of_cells(str(error))
    except ValueError as error:
        return str(error)
    except RecursionError:
        return "is nested too deeply"


def _of_a_value(error: ValidationError) -> str:
    first = error.errors()[0]
    if first["loc"] == ("source_id",):
        return (
            f"source_id {first['input']!r}: is empty, longer than 128 characters, or has others "
            "than letters, digits, - and _"
        )
    return f"{'.'.join(map(str, first['loc']))} {first['input']!r}: {first['msg']}"


def _of_cells(problem: str) -> str:
    """What Python's csv says, in words that say what to mend."""
    if problem == "unexpected end of data":
        return "a quote is opened and never closed"
    if problem.startswith("new-line character"):
        return "has a carriage return in the middle"
    if problem.startswith("field larger than"):
        return f"a cell is longer than {csv.field_size_limit():,} characters"
    return problem


def make_clip(
    source_id: object,
    start_s: float,
    end_s: float,
    labels: Iterable[str] = (),
    split: str | None = None,
    **more: object,
) -> ClipRecord:
    """Make a clip of a row's values.

    Args:
        source_id: the source, or a URL of YouTube's.
        start_s: its start.
        end_s: its end.
        labels: its labels; empty ones are left out.
        split: its split; an empty one is none.
        more: other fields of `ClipRecord`.

    Raises:
        ValueError: if a value cannot be one of a clip.
    """
    if round(end_s * 1000) <= round(start_s * 1000):
        raise ValueError(f"ends at {number(end_s)} s, it starts at {number(start_s)} s")
    names = tuple(check_label(label) for label in labels if label)
    content = {
        "source_id": source_id_of(source_id),
        "start_s": start_s,
        "end_s": end_s,
        "labels": names,
    }
    return _CLIP.validate_python({**content, "split": split or None, **more})

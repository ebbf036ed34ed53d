"""The beginning of a file, from which its format is told."""

import csv
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from s2s.catalog.formats.text import NumberedLine, numbered_lines, open_text, split_line

__all__ = ["DELIMITERS", "HEAD_LINES", "PARQUET", "Head", "object_in"]

DELIMITERS = (",", "\t", ";")
HEAD_LINES = 200
PARQUET = b"PAR1"
_HEAD_BYTES = 1 << 16


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
        objects = [object_in(line) for _, line in self.filled]
        return list(dict.fromkeys(key for each in objects for key in each)) if objects[0] else []


def _first(lines: Iterator[NumberedLine]) -> Iterator[NumberedLine]:
    """Lines up to so many that are not blank, and to so many bytes; one at least."""
    n_filled = size = 0
    for number, line in lines:
        size += len(line)
        if n_filled and size > _HEAD_BYTES:
            return
        yield number, line[:_HEAD_BYTES]
        n_filled += bool(line.strip())
        if n_filled == HEAD_LINES:
            return


def object_in(line: bytes) -> dict[str, object]:
    """The JSON object that a line is; an empty one where it is none."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}

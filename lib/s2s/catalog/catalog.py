"""A catalog's rows, one by one: each a clip, or a problem with its line number."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from s2s.catalog.formats.head import check_whole
from s2s.catalog.formats.rows import CatalogFormat, CutOff
from s2s.records import ClipRecord

__all__ = ["Catalog", "DistinctNames", "RowProblem", "read_rows"]

_CACHE_KIB = 16_384


@dataclass(frozen=True)
class RowProblem:
    """A row that is no clip.

    Attributes:
        line: its line in the file, from 1.
        message: what is wrong with it.
    """

    line: int
    message: str

    @property
    def name(self) -> str:
        """What the row is called where a clip has its clip id."""
        return f"line-{self.line}"


@dataclass(frozen=True)
class Catalog:
    """Clips of a catalog, held in memory.

    Attributes:
        clips: its clips, in its order, each clip id once.
        problems: rows that are no clip.
    """

    clips: list[ClipRecord] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)


class DistinctNames:
    """Names with the line where each came first.

    They are on disk, in a temporary file that goes with the object: the ids of millions of clips
    would take hundreds of megabytes of memory.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = OFF",
            f"PRAGMA cache_size = -{_CACHE_KIB}",
            "CREATE TABLE names (name TEXT PRIMARY KEY, line INTEGER, note TEXT) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(statement)

    def first_line(self, name: str, line: int) -> int:
        """The line where a name came first: the one given, if it is new."""
        return self.first(name, line, "")[0]

    def first(self, name: str, line: int, note: str) -> tuple[int, str]:
        """The line where a name came first, and what was noted of it there: as given, if new."""
        row = (name, line, note)
        if self._database.execute("INSERT OR IGNORE INTO names VALUES (?, ?, ?)", row).rowcount:
            return line, note
        found = self._database.execute("SELECT line, note FROM names WHERE name = ?", (name,))
        return found.fetchone()

    def __len__(self) -> int:
        return self._database.execute("SELECT count(*) FROM names").fetchone()[0]

    def close(self) -> None:
        """Give the temporary file back."""
        self._database.close()


def read_rows(
    path: Path, layout: CatalogFormat, name: str = ""
) -> Iterator[ClipRecord | RowProblem]:
    """Read a file row by row; memory does not grow with its length.

    A clip that comes twice is a clip once, and a problem the other times.

    Args:
        path: the file.
        layout: its format, from `choose_format`.
        name: what it is called, for messages; its path without one.

    Raises:
        CatalogError: where it ends in the middle of a row, so that others are missing.
    """
    with closing(DistinctNames()) as names:
        for line, row in layout.read(path):
            if isinstance(row, CutOff):
                check_whole([(line, row)], name or str(path))
            if isinstance(row, str):
                yield RowProblem(line, row)
                continue
            note = json.dumps([row.labels, row.split])
            first, noted = names.first(row.clip_id, line, note)
            if first == line:
                yield row
            else:
                how = _contradiction(json.loads(noted), json.loads(note))
                yield RowProblem(line, f"duplicate of line {first}{how}: {row.clip_id}")


def _contradiction(
    first: tuple[list[str], str | None], second: tuple[list[str], str | None]
) -> str:
    """What two rows of a clip do not agree on, in words; empty where they agree."""
    parts = []
    if sorted(first[0]) != sorted(second[0]):
        parts.append("another label" if len(second[0]) == 1 else "other labels")
    if first[1] != second[1]:
        parts.append("another split")
    return f" with {' and '.join(parts)}" if parts else ""

"""Tables of one's own: CSV with a header, JSON Lines, Parquet. The recipe names columns."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from s2s.catalog.formats.columns import check_columns
from s2s.catalog.formats.rows import LineFormat, Row, clip_or_problem, make_clip
from s2s.catalog.formats.text import split_line
from s2s.catalog.formats.values import (
    face_position,
    label_texts,
    number,
    seconds,
    source_id_of,
    without_gaps,
)
from s2s.errors import CatalogError
from s2s.records import ClipRecord
from s2s.settings import CollectionSettings, ColumnNames
from s2s.workspace import scratch

__all__ = ["FormatOptions", "Table", "TableCsv", "TableJsonLines", "TableParquet"]

_ROWS_AT_A_TIME = 10_000


@dataclass(frozen=True)
class Table:
    """What the three kinds of table share: from a row's values by column to a clip, and back.

    Attributes:
        duration_s: length of clips without an end.
        names: the columns' names.
        separator: between labels in one cell.
    """

    duration_s: float
    names: ColumnNames = field(default_factory=ColumnNames)
    separator: str = "|"

    @cached_property
    def _columns(self) -> list[tuple[str, str]]:
        return list(self.names.model_dump().items())

    def clip_of(self, row: object) -> ClipRecord:
        """Make a clip of a row, its values by column; a column's name may be in any case.

        Raises:
            ValueError: if it is none.
        """
        if not isinstance(row, Mapping):
            raise ValueError("is not a JSON object")
        folded = {str(column).casefold(): value for column, value in row.items()}
        values = {
            name: without_gaps(row[column] if column in row else folded.get(column.casefold()))
            for name, column in self._columns
        }
        if values["source_id"] is None:
            raise ValueError(f"column {self.names.source_id} is empty")
        start, split = values["start_s"], values["split"]
        if isinstance(split, (list, tuple, dict)):
            raise ValueError(f"split {split!r} is no text")
        start_s = 0.0 if start is None else seconds(start, "start")
        face = (values["face_x"], values["face_y"])
        return make_clip(
            source_id_of(values["source_id"]),
            start_s,
            self._end_s(start_s, values["end_s"], values["duration_s"]),
            self._labels(values["labels"]),
            None if split is None else str(split),
            face_xy=None if face == (None, None) else face_position(*face),
        )

    def _end_s(self, start_s: float, end: object, duration: object) -> float:
        if end is not None:
            return seconds(end, "end")
        length_s = self.duration_s if duration is None else seconds(duration, "duration")
        return round(start_s + length_s, 6)

    def row_of(self, clip: ClipRecord) -> dict[str, Any]:
        """The values of a clip, by column."""
        x, y = clip.face_xy or (None, None)
        values = {
            "source_id": clip.source_id,
            "start_s": clip.start_s,
            "end_s": clip.end_s,
            "labels": list(clip.labels),
            "split": clip.split,
            "face_x": x,
            "face_y": y,
        }
        return {getattr(self.names, name): value for name, value in values.items()}

    def _labels(self, cell: Any) -> list[str]:
        if isinstance(cell, (list, tuple)):
            return label_texts(cell)
        return label_texts(cell.split(self.separator) if isinstance(cell, str) else [cell])


@dataclass(frozen=True)
class FormatOptions:
    """What reading needs to know that a file does not say.

    Attributes:
        duration_s: length of clips where the file gives only their start.
        format: the format's name, or `auto`.
        columns: the columns of a table of one's own.
        separator: between labels in one cell of such a table.
        label_names: AudioSet's label table.
        time_unit: `s` where times are seconds, however large they are; see `check_first_rows`.
        split_names: which split of ours is which of the catalog's, where it is told.
        keep_splits: splits are to be kept, so that none may be passed over.
    """

    duration_s: float = 10.0
    format: str = "auto"
    columns: ColumnNames = field(default_factory=ColumnNames)
    separator: str = "|"
    label_names: Mapping[str, str] = field(default_factory=dict)
    time_unit: str = "auto"
    split_names: Mapping[str, str] = field(default_factory=dict)
    keep_splits: bool = False

    @classmethod
    def of_settings(
        cls,
        settings: CollectionSettings,
        duration_s: float,
        label_names: Mapping[str, str],
        *,
        keep_splits: bool,
    ) -> "FormatOptions":
        """What a recipe says: its section `collection`, and what else is told of it."""
        return cls(
            duration_s,
            settings.format,
            settings.columns,
            settings.label_separator,
            label_names,
            settings.time_unit,
            settings.split_names,
            keep_splits,
        )

    @property
    def table(self) -> Table:
        """A table of one's own."""
        return Table(self.duration_s, self.columns, self.separator)


@dataclass(frozen=True)
class TableCsv(LineFormat):
    """A table as CSV, its columns in the first line.

    Attributes:
        table: what the columns mean.
        columns: their names, in order.
        delimiter: between fields.
    """

    name: ClassVar[str] = "csv"
    table: Table
    columns: tuple[str, ...]
    delimiter: str = ","

    @property
    def header(self) -> str:
        """See `LineFormat.header`."""
        return self._joined(self.columns)

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        fields = split_line(line, self.delimiter)
        if len(fields) != len(self.columns):
            raise ValueError(f"has {len(fields)} columns, not {len(self.columns)} as the header")
        return self.table.clip_of(dict(zip(self.columns, fields, strict=True)))

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        row = self.table.row_of(clip)
        row[self.table.names.labels] = self.table.separator.join(clip.labels)
        row[self.table.names.duration_s] = round(clip.duration_s, 6)
        return self._joined(_text(_value_of(row, column)) for column in self.columns)

    def _joined(self, fields: Iterable[str]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter, lineterminator="").writerow(fields)
        return text.getvalue()


@dataclass(frozen=True)
class TableJsonLines(LineFormat):
    """A table as JSON Lines: an object a line.

    Attributes:
        table: what the columns mean.
    """

    name: ClassVar[str] = "jsonl"
    table: Table

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        return self.table.clip_of(json.loads(line))

    def breaks_off(self, line: bytes) -> bool:
        """See `LineFormat.breaks_off`: an object is opened and not closed."""
        text = line.strip()
        return text.startswith(b"{") and not text.endswith(b"}")

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        return json.dumps(self.table.row_of(clip), ensure_ascii=False)


@dataclass(frozen=True)
class TableParquet:
    """A table as Parquet.

    Attributes:
        table: what the columns mean.
    """

    name: ClassVar[str] = "parquet"
    table: Table

    def read(self, path: Path) -> Iterator[Row]:
        """See `CatalogFormat.read`; a row's number is its place."""
        import duckdb  # noqa: PLC0415 - only collection has it

        with duckdb.connect() as database:
            try:
                found = database.execute("SELECT * FROM read_parquet(?)", [str(path)])
            except duckdb.Error as error:
                raise CatalogError(f"catalog {path}: is no Parquet file: {error}") from error
            columns = [column[0] for column in found.description or []]
            check_columns(columns, self.table.names, str(path))
            rows = chain.from_iterable(iter(lambda: found.fetchmany(_ROWS_AT_A_TIME), []))
            for place, row in enumerate(rows, start=1):
                values = dict(zip(columns, row, strict=True))
                yield place, clip_or_problem(self.table.clip_of, values)

    def write(self, clips: Iterable[ClipRecord], path: Path) -> None:
        """See `CatalogFormat.write`."""
        import duckdb  # noqa: PLC0415 - only collection has it

        with scratch() as folder, duckdb.connect() as database:
            lines = folder / "rows.jsonl"
            TableJsonLines(self.table).write(clips, lines)
            found = database.read_json(str(lines), format="newline_delimited")
            found.write_parquet(str(path))


def _value_of(row: Mapping[str, Any], column: str) -> Any:
    """A row's value in a column, whatever the case of the column's name."""
    if column in row:
        return row[column]
    folded = column.casefold()
    return next((value for name, value in row.items() if name.casefold() == folded), None)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return number(value) if isinstance(value, float) else str(value)

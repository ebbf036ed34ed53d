"""From a file to the format that it is in: said, or found from its first lines."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from s2s.catalog.audioset import LABEL_TABLE_COLUMNS, AudioSet
from s2s.catalog.avspeech import AVSpeech
from s2s.catalog.kinetics import KINETICS_COLUMNS, KineticsCsv, KineticsJson, KineticsList
from s2s.catalog.rows import CatalogFormat, LineFormat, numbered_lines, split_line
from s2s.catalog.table import Table, TableCsv, TableJsonLines, TableParquet
from s2s.catalog.vggsound import VGGSound
from s2s.errors import CatalogError
from s2s.records import ClipRecord
from s2s.settings import CollectionSettings, ColumnNames

__all__ = ["FormatOptions", "choose_format", "is_label_table"]

_HEAD_BYTES = 1 << 16
_HEAD_LINES = 200
_PARQUET = b"PAR1"
_SAY_IT = "Say which with collection.format in the recipe, or --format"


@dataclass(frozen=True)
class FormatOptions:
    """What reading needs to know that a file does not say.

    Attributes:
        duration_s: length of clips where the file gives only their start.
        format: the format's name, or `auto`.
        columns: the columns of a table of one's own.
        separator: between labels in one cell of such a table.
        label_names: AudioSet's label table.
    """

    duration_s: float = 10.0
    format: str = "auto"
    columns: ColumnNames = field(default_factory=ColumnNames)
    separator: str = "|"
    label_names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_recipe(
        cls, settings: CollectionSettings, duration_s: float, label_names: Mapping[str, str]
    ) -> "FormatOptions":
        """What a recipe says."""
        return cls(
            duration_s, settings.format, settings.columns, settings.label_separator, label_names
        )

    @property
    def table(self) -> Table:
        """A table of one's own."""
        return Table(self.duration_s, self.columns, self.separator)


@dataclass(frozen=True)
class _Head:
    """The first lines of a file."""

    start: bytes
    lines: list[tuple[int, bytes]]

    @classmethod
    def of(cls, path: Path) -> "_Head":
        with path.open("rb") as file:
            start = file.read(_HEAD_BYTES)
        lines = start.splitlines(keepends=True)
        if len(start) == _HEAD_BYTES and len(lines) > 1:
            lines.pop()  # it is cut
        return cls(start, list(numbered_lines(lines))[:_HEAD_LINES])

    @property
    def first(self) -> str:
        return self.lines[0][1].decode("utf-8", "replace") if self.lines else ""

    def columns(self, delimiter: str = ",") -> tuple[str, ...]:
        try:
            return tuple(split_line(self.first.encode(), delimiter))
        except Exception:  # noqa: BLE001 - whatever csv dislikes is no header
            return ()


def choose_format(path: Path, name: str, options: FormatOptions) -> CatalogFormat:
    """Choose the format that a file is in.

    Args:
        path: the file.
        name: what it is called, for messages.
        options: the format's name, if it is said, and what it needs.

    Raises:
        CatalogError: if the file is empty, is in no format that is known, could be in several,
            or lacks a column that the recipe names.
    """
    head = _Head.of(path)
    if not head.lines:
        raise CatalogError(
            f"catalog {name} is empty: it needs a row for each clip. Was its download cut short? "
            "Fetch it again"
        )
    if options.format != "auto":
        return _SAID[options.format](head, options, name)
    if is_label_table(path):
        raise CatalogError(
            f"catalog {name}: is AudioSet's table of labels, which lists no clip. Name it in "
            "collection.label_table, and the segments' file in collection.catalog"
        )
    found = _by_content(head, options, name) or _by_rows(head, options)
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(each.name for each in found)
        raise CatalogError(f"catalog {name}: could be {names}. {_SAY_IT}")
    number, line = head.lines[0]
    raise CatalogError(
        f"catalog {name}: is in none of the formats that are known "
        f"({', '.join(sorted(_SAID))}). Line {number}: {line[:60].decode('utf-8', 'replace')!r}. "
        f"Is it a web page, or cut short? {_SAY_IT}; for a table of your own name its columns in "
        "collection.columns"
    )


def is_label_table(path: Path) -> bool:
    """Whether a file is AudioSet's table of labels."""
    return _Head.of(path).columns() == LABEL_TABLE_COLUMNS


def _by_content(head: _Head, options: FormatOptions, name: str) -> list[CatalogFormat]:
    """Formats that can be told by how they begin: a signature, an object, a header."""
    if head.start.startswith(_PARQUET):
        return [TableParquet(options.table)]
    if head.start.lstrip().startswith(b"{"):
        is_table = options.columns.source_id in _object_in(head.first)
        return [_json_lines(head, options, name) if is_table else KineticsJson()]
    found: list[CatalogFormat] = []
    if set(KINETICS_COLUMNS) <= set(head.columns()):
        found.append(KineticsCsv(head.columns()))
    if options.columns.source_id in {*head.columns(), *head.columns("\t")}:
        found.append(_csv(head, options, name))
    return found


def _by_rows(head: _Head, options: FormatOptions) -> list[CatalogFormat]:
    """Formats without a header: those that most of the first rows are in, if any are."""
    formats: tuple[LineFormat, ...] = (
        VGGSound(options.duration_s),
        AVSpeech(),
        AudioSet(options.label_names),
        KineticsList(),
    )
    n_fitting = [_n_fitting(each, head.lines) for each in formats]
    most = max(n_fitting)
    return [each for each, n_rows in zip(formats, n_fitting, strict=True) if n_rows == most > 0]


def _n_fitting(layout: LineFormat, lines: list[tuple[int, bytes]]) -> int:
    rows = (row for _, row in layout.rows(lines))
    return sum(isinstance(row, ClipRecord) and not _looks_wrong(layout, row) for row in rows)


def _looks_wrong(layout: LineFormat, clip: ClipRecord) -> bool:
    """Whether a row can be read, but hardly means that.

    Where a file has lost its header, an end may stand where VGGSound has a label, and a split
    where AudioSet has ids of labels.
    """
    if isinstance(layout, VGGSound):
        return any(_is_number(label) for label in clip.labels)
    if isinstance(layout, AudioSet) and not layout.label_names:
        return not all(label.startswith("/") for label in clip.labels)
    return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _object_in(line: str) -> dict[str, object]:
    try:
        content = json.loads(line)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _csv(head: _Head, options: FormatOptions, name: str) -> TableCsv:
    delimiter = "\t" if options.columns.source_id in head.columns("\t") else ","
    columns = head.columns(delimiter)
    options.table.check_columns(columns, name)
    return TableCsv(options.table, columns, delimiter)


def _json_lines(head: _Head, options: FormatOptions, name: str) -> TableJsonLines:
    options.table.check_columns(_object_in(head.first), name)
    return TableJsonLines(options.table)


def _kinetics(head: _Head, options: FormatOptions, name: str) -> CatalogFormat:  # noqa: ARG001
    if head.start.lstrip().startswith(b"{"):
        return KineticsJson()
    if set(KINETICS_COLUMNS) <= set(head.columns()):
        return KineticsCsv(head.columns())
    if _n_fitting(KineticsList(), head.lines):
        return KineticsList()
    raise CatalogError(
        f"catalog {name}: a catalog of Kinetics begins with a header that names "
        f"{', '.join(KINETICS_COLUMNS)}; this one begins with {head.first[:60]!r}"
    )


_SAID: dict[str, Callable[[_Head, FormatOptions, str], CatalogFormat]] = {
    "vggsound": lambda _, options, __: VGGSound(options.duration_s),
    "kinetics": _kinetics,
    "avspeech": lambda *_: AVSpeech(),
    "audioset": lambda _, options, __: AudioSet(options.label_names),
    "csv": _csv,
    "jsonl": _json_lines,
    "parquet": lambda _, options, __: TableParquet(options.table),
}

"""AudioSet's catalog: `id, start, end, "label,label"` below comments, and its table of labels.

There is a space behind every comma, so a quote does not open a field for a reader that is strict.
Labels are ids of a knowledge base (`/m/0bt9lr`); the table `class_labels_indices.csv` names them.

AVE is a part of AudioSet with events in it: `label&id&quality&start&end`, with that as a header or
without one. Its times count from the start of its own files of 10 s.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from s2s.catalog.formats.rows import LineFormat, make_clip
from s2s.catalog.formats.text import open_text, split_line
from s2s.catalog.formats.values import fixed, number, seconds
from s2s.errors import CatalogError
from s2s.records import ClipRecord

__all__ = ["AVE", "LABEL_TABLE_COLUMNS", "AudioSet", "read_label_table"]

LABEL_TABLE_COLUMNS = ("index", "mid", "display_name")
_AVE_HEADER = "Category&VideoID&Quality&StartTime&EndTime"


@dataclass(frozen=True)
class AudioSet(LineFormat):
    """The format of AudioSet.

    Attributes:
        label_names: a label's name by its id, from the label table; labels stay ids without it.
        delimiter: between cells.
    """

    name: ClassVar[str] = "audioset"
    label_names: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","

    @property
    def header(self) -> str:
        """See `LineFormat.header`."""
        return "# YTID, start_seconds, end_seconds, positive_labels"

    def is_clip(self, place: int, line: bytes) -> bool:  # noqa: ARG002
        """See `LineFormat.is_clip`."""
        return not line.startswith(b"#")

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        fields = split_line(line, self.delimiter)
        if len(fields) != 4:
            raise ValueError(f'has {len(fields)} columns, not id, start, end, "label,label"')
        source_id, start, end, ids = fields
        labels = [self._label(label_id.strip()) for label_id in ids.split(",") if label_id]
        return make_clip(source_id, seconds(start, "start"), seconds(end, "end"), labels)

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        ids = {name: label_id for label_id, name in self.label_names.items()}
        if unknown := [label for label in clip.labels if ids and label not in ids]:
            raise ValueError(f"label {unknown[0]!r} is not in the label table")
        labels = [ids.get(label, label) for label in clip.labels]
        if found := [label for label in labels if set(label) & set(',"')]:
            raise ValueError(f"label {found[0]!r} has a comma or a quote, and ids have none")
        cells = (clip.source_id, fixed(clip.start_s, 3), fixed(clip.end_s, 3))
        return f"{self.delimiter} ".join([*cells, f'"{",".join(labels)}"'])

    def _label(self, label_id: str) -> str:
        if not self.label_names:
            return label_id
        if label_id not in self.label_names:
            raise ValueError(f"label {label_id!r} is not in the label table")
        return self.label_names[label_id]


@dataclass(frozen=True)
class AVE(LineFormat):
    """The format of AVE's annotations.

    Attributes:
        has_header: whether the first line names the columns.
    """

    name: ClassVar[str] = "ave"
    has_header: bool = True
    delimiter: str = "&"

    @classmethod
    def begins_with(cls, line: str) -> bool:
        """Whether a line is the header."""
        return line.replace(" ", "").casefold() == _AVE_HEADER.casefold()

    @property
    def header(self) -> str:
        """See `LineFormat.header`."""
        return _AVE_HEADER if self.has_header else ""

    def clip(self, line: bytes) -> ClipRecord:
        """See `LineFormat.clip`."""
        fields = split_line(line, self.delimiter)
        if len(fields) != 5:
            raise ValueError(f"has {len(fields)} columns, not label&id&quality&start&end")
        label, source_id, _, start, end = fields
        return make_clip(source_id, seconds(start, "start"), seconds(end, "end"), [label])

    def line(self, clip: ClipRecord) -> str:
        """See `LineFormat.line`."""
        if len(clip.labels) > 1:
            raise ValueError(f"it has {len(clip.labels)} labels, and there is a place for one")
        times = (number(clip.start_s), number(clip.end_s))
        text = io.StringIO()
        row = ["".join(clip.labels), clip.source_id, "good", *times]
        csv.writer(text, delimiter=self.delimiter, lineterminator="").writerow(row)
        return text.getvalue()


def read_label_table(path: Path) -> dict[str, str]:
    """Read AudioSet's table of labels: names by id, in its order.

    Raises:
        CatalogError: if it is no such table.
    """
    with open_text(path) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        reader = csv.DictReader(text, strict=True)
        try:
            if tuple(map(str.casefold, reader.fieldnames or ())) != LABEL_TABLE_COLUMNS:
                raise CatalogError(
                    f"label table {path}: its first line must be {','.join(LABEL_TABLE_COLUMNS)}, "
                    "as in AudioSet's class_labels_indices.csv"
                )
            _, label_id, name = list(reader.fieldnames or [])
            return {row[label_id]: row[name] for row in reader}
        except (csv.Error, UnicodeDecodeError) as error:
            raise CatalogError(f"label table {path}: line {reader.line_num}: {error}") from error

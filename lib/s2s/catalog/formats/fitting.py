"""How many of a file's first rows a format can read, and whether that means anything."""

from s2s.catalog.formats.published.audioset import AudioSet
from s2s.catalog.formats.published.vggsound import VGGSound
from s2s.catalog.formats.rows import LineFormat
from s2s.catalog.formats.text import NumberedLine
from s2s.catalog.formats.values import as_number
from s2s.records import ClipRecord

__all__ = ["are_most", "count_fitting", "is_number"]


def are_most(n_fitting: int, n_rows: int) -> bool:
    """Whether so many of the rows make a file be in a format."""
    return 2 * n_fitting >= n_rows


def count_fitting(layout: LineFormat, lines: list[NumberedLine]) -> int:
    """How many rows a format reads as clips that mean something."""
    rows = (row for _, row in layout.rows(lines))
    return sum(isinstance(row, ClipRecord) and not _looks_wrong(layout, row) for row in rows)


def _looks_wrong(layout: LineFormat, clip: ClipRecord) -> bool:
    """Whether a row can be read, but hardly means that.

    Where a file has lost its header, an end may stand where VGGSound has a label, and a split
    where AudioSet has ids of labels.
    """
    if isinstance(layout, VGGSound):
        return any(map(is_number, clip.labels))
    if isinstance(layout, AudioSet) and not layout.label_names:
        return not all(label.startswith("/") for label in clip.labels)
    return False


def is_number(text: str) -> bool:
    """Whether a cell is a number."""
    try:
        as_number(text)
    except ValueError:
        return False
    return True

"""What all formats share: a file's lines, a line's fields, and the clip that they make."""

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from s2s.catalog.labels import folder_name
from s2s.errors import CatalogError
from s2s.records import ClipRecord

__all__ = [
    "CatalogFormat",
    "LineFormat",
    "Row",
    "check_label",
    "clip_or_problem",
    "fixed",
    "make_clip",
    "number",
    "numbered_lines",
    "seconds",
    "split_line",
    "unwritable",
]

T = TypeVar("T")
Row = tuple[int, ClipRecord | str]
"""A row's number, from 1 as an editor counts lines, and its clip, or what is wrong with it."""

_CLIP = TypeAdapter(ClipRecord)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MAX_S = 7 * 24 * 3600.0
# "|" separates labels in split manifests.
_NOT_IN_LABELS = re.compile(r"[\x00-\x1f\x7f|]")


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


class LineFormat:
    """A format whose every line is a clip by itself: an open quote costs one row, not all.

    A format is a subclass with `name`, `clip` and `line`.
    """

    name: ClassVar[str]

    @property
    def header(self) -> str:
        """First line of a file; empty where the first line is a clip."""
        return ""

    def clip(self, line: bytes) -> ClipRecord:
        """Read one line.

        Raises:
            ValueError: if it is no clip.
        """
        raise NotImplementedError

    def line(self, clip: ClipRecord) -> str:
        """Write one line, without its end.

        Raises:
            ValueError: if the format has no place for what the clip holds.
        """
        raise NotImplementedError

    def is_clip(self, place: int, line: bytes) -> bool:  # noqa: ARG002
        """Whether a line, by its place among those that are not blank, is to be a clip."""
        return not self.header or place > 1

    def rows(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[Row]:
        """Read lines with their numbers."""
        for place, (number, line) in enumerate(lines, start=1):
            if self.is_clip(place, line):
                yield number, clip_or_problem(self.clip, line)

    def read(self, path: Path) -> Iterator[Row]:
        """See `CatalogFormat.read`."""
        with path.open("rb") as file:
            yield from self.rows(numbered_lines(file))

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


def unwritable(clip: ClipRecord, name: str, why: object) -> CatalogError:
    """The error for a clip that a format has no place for."""
    return CatalogError(f"{clip.clip_id}: cannot be written in the format {name}: {why}")


def numbered_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, without their ends; blank ones are left out."""
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        if text.strip():
            yield number, text.rstrip(b"\r\n")


def clip_or_problem(clip: Callable[[T], ClipRecord], raw: T) -> ClipRecord | str:
    """Make a clip, or say in words why a row is none."""
    try:
        return clip(raw)
    except UnicodeDecodeError:
        return "is not UTF-8 text"
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))} {first['input']!r}: {first['msg']}"
    except (ValueError, csv.Error) as error:
        return str(error)


def split_line(line: bytes, delimiter: str = ",") -> list[str]:
    """Fields of a line of CSV, without the spaces around them."""
    reader = csv.reader(
        [line.decode("utf-8")], delimiter=delimiter, strict=True, skipinitialspace=True
    )
    return [text.strip() for text in next(reader)]


def make_clip(
    source_id: str,
    start_s: float,
    end_s: float,
    labels: Iterable[str] = (),
    split: str | None = None,
    **more: object,
) -> ClipRecord:
    """Make a clip of a row's values.

    Args:
        source_id: the source.
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
    content = {"source_id": source_id, "start_s": start_s, "end_s": end_s, "labels": names}
    return _CLIP.validate_python({**content, "split": split or None, **more})


def check_label(label: str) -> str:
    """Refuse a label that split manifests or folders could not hold.

    Raises:
        ValueError: if it has a control character or a "|", or is too long to name a folder.
    """
    if _NOT_IN_LABELS.search(label):
        raise ValueError(f"label {label!r} holds '|' or a control character")
    folder_name(label)
    return label


def seconds(value: object, name: str) -> float:
    """Read a time in seconds.

    Raises:
        ValueError: if it is none, or more than a week.
    """
    try:
        time_s = float(str(value))
    except ValueError:
        raise ValueError(f"{name} {value!r} is not a number of seconds") from None
    if not (math.isfinite(time_s) and 0 <= time_s <= _MAX_S):
        raise ValueError(f"{name} {value!r} is not between 0 and {_MAX_S:.0f} seconds")
    return time_s


def fixed(value: float, digits: int) -> str:
    """Write a number with so many digits behind its point, or with more where it needs them."""
    text = f"{value:.{digits}f}"
    return text if float(text) == value else number(value)


def number(value: float) -> str:
    """Write a number so that reading gives the same one; without a fraction where it has none."""
    return repr(float(value)).removesuffix(".0")

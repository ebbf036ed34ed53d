"""A catalog's file as UTF-8 text, however it was saved: packed, in UTF-16, with other line ends."""

import bz2
import codecs
import csv
import gzip
import io
import lzma
import tarfile
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

from s2s.errors import CatalogError

__all__ = [
    "NumberedLine",
    "NumberedLines",
    "cells_of",
    "join_quoted",
    "numbered_lines",
    "open_text",
    "path_of_line",
    "split_line",
]

NumberedLine = tuple[int, bytes]
"""A line's number, from 1, and the line without its end."""

_HEAD_BYTES = 1 << 16
_PACKED: dict[bytes, Callable[[Path], BinaryIO]] = {
    b"\x1f\x8b": lambda path: cast(BinaryIO, gzip.GzipFile(path)),
    b"BZh": lambda path: cast(BinaryIO, bz2.BZ2File(path)),
    b"\xfd7zXZ\x00": lambda path: cast(BinaryIO, lzma.LZMAFile(path)),  # noqa: SIM115
}
_OTHER_KINDS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook: unpack it, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save it as CSV",
    b"7z\xbc\xaf": "a 7z archive: unpack it",
    b"Rar!": "a rar archive: unpack it",
    b"\x28\xb5\x2f\xfd": "packed by zstd: unpack it, or pack it by gzip",
    b"%PDF": "a PDF: save the table in it as CSV",
    b"version https://git-lfs": "a pointer of Git LFS: fetch the file itself ('git lfs pull')",
}
# The longer mark first: UTF-32's begins as UTF-16's does.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# A quoted cell with more lines than this has lost its closing quote.
_MAX_LINES_IN_CELL = 100


def open_text(path: Path) -> BinaryIO:
    r"""Open a file as UTF-8 bytes without a byte order mark, its lines ended by \n or \r\n.

    It may be packed by gzip, bzip2 or xz, be in UTF-16 or UTF-32, and have lines that end in \r.
    What is no character of its encoding comes out as bytes that are not UTF-8.

    Raises:
        CatalogError: if it is an archive, packed twice, or cut short; when reading, too.
    """
    with path.open("rb") as file:
        start = file.read(32)
    unpack = next((each for mark, each in _PACKED.items() if start.startswith(mark)), None)
    source = path.open("rb") if unpack is None else unpack(path)
    try:
        return io.BufferedReader(_Normalized(source, path), _HEAD_BYTES)
    except CatalogError:
        source.close()
        raise


class _Normalized(io.RawIOBase):
    """A file's bytes, made UTF-8 with usual line ends, piece by piece."""

    def __init__(self, source: BinaryIO, path: Path) -> None:
        self._source, self._path = source, path
        head = self._take(_HEAD_BYTES)
        if kind := _other_kind(head):
            raise CatalogError(f"catalog {path}: is {kind}")
        mark, encoding = next(
            ((mark, name) for mark, name in _MARKS if head.startswith(mark)),
            (b"", _unmarked_encoding(head)),
        )
        self._decoder = (
            None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)("catalog_text")
        )
        self._waiting = self._as_utf8(head[len(mark) :])
        plain = self._waiting.replace(b"\r\n", b"")
        # What a Mac once wrote: a line feed is then a line break inside a cell.
        self._has_cr_ends = plain.count(b"\r") > self._waiting.count(b"\n")
        self._waiting = self._with_usual_ends(self._waiting)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        while not self._waiting:
            piece = self._take(_HEAD_BYTES)
            self._waiting = self._with_usual_ends(self._as_utf8(piece))
            if not piece:
                break
        size = min(len(buffer), len(self._waiting))
        buffer[:size] = self._waiting[:size]
        self._waiting = self._waiting[size:]
        return size

    def close(self) -> None:
        self._source.close()
        super().close()

    def _take(self, size: int) -> bytes:
        try:
            return self._source.read(size)
        except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
            raise CatalogError(
                f"catalog {self._path}: is packed, and damaged or cut short ({error}). Fetch it "
                "again"
            ) from error

    def _as_utf8(self, piece: bytes) -> bytes:
        if self._decoder is None:
            return piece
        text = self._decoder.decode(piece, final=not piece)
        return text.encode("utf-8", "surrogatepass")

    def _with_usual_ends(self, piece: bytes) -> bytes:
        return piece.replace(b"\r", b"\n") if self._has_cr_ends else piece


def _other_kind(head: bytes) -> str:
    """What a file is, unpacked once, that is no text, and what to do; empty where it may be one."""
    if any(map(head.startswith, _PACKED)):
        return "packed twice: unpack it once"
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "replace")
    except tarfile.HeaderError:
        return next((kind for mark, kind in _OTHER_KINDS.items() if head.startswith(mark)), "")
    return "a tar archive: unpack it, and name the catalog's file in it"


def _unmarked_encoding(head: bytes) -> str:
    """UTF-16 without a mark is told by its zero bytes: ids and commas are ASCII."""
    even, odd = head[0:200:2], head[1:200:2]
    if len(odd) > 1 and odd.count(0) > len(odd) // 2 and not even.count(0):
        return "utf-16-le"
    if len(odd) > 1 and even.count(0) > len(even) // 2 and not odd.count(0):
        return "utf-16-be"
    return "utf-8"


def _mark_as_damaged(error: UnicodeError) -> tuple[str, int]:
    """Stand a lone surrogate in for what is no character: as bytes it is not UTF-8."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("catalog_text", _mark_as_damaged)


class NumberedLines:
    """A file's lines with their numbers, blank ones too.

    Attributes:
        last: the line that was read last.
        is_ended: whether that line has an end, as all have but the last of a file that is cut off.
    """

    def __init__(self, path: Path) -> None:
        self.last: NumberedLine = (0, b"")
        self.is_ended = True
        self._file = open_text(path)

    def __iter__(self) -> Iterator[NumberedLine]:
        return self

    def __next__(self) -> NumberedLine:
        line = self._file.readline()
        if not line:
            raise StopIteration
        self.is_ended = line.endswith(b"\n")
        self.last = (self.last[0] + 1, line.rstrip(b"\r\n"))
        return self.last

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def numbered_lines(path: Path) -> Generator[NumberedLine, None, None]:
    """A file's lines with their numbers, blank ones too."""
    with closing(NumberedLines(path)) as lines:
        yield from lines


def join_quoted(lines: Iterable[NumberedLine], delimiter: str) -> Iterator[NumberedLine]:
    """Put lines together that a quoted cell goes over (RFC 4180, 2.6); blank ones are left out.

    A quote that is never closed costs the line that it is in, and no other.

    Args:
        lines: the lines.
        delimiter: between cells.

    Yields:
        each row with the number of its first line.
    """
    source = iter(lines)
    given_back: deque[NumberedLine] = deque()
    while True:
        first = given_back.popleft() if given_back else next(source, None)
        if first is None:
            return
        number, line = first
        if b'"' in line:
            more = _lines_of_cell(line, delimiter, given_back, source)
            line = b"\n".join([line, *more])
        if line.strip():
            yield number, line


def _lines_of_cell(
    line: bytes, delimiter: str, waiting: deque[NumberedLine], source: Iterator[NumberedLine]
) -> list[bytes]:
    """The lines that belong to a row, beyond its first; all others are put back."""
    taken: list[NumberedLine] = []

    def feed() -> Iterator[str]:
        yield line.decode() + "\n"
        while len(taken) < _MAX_LINES_IN_CELL:
            following = waiting.popleft() if waiting else next(source, None)
            if following is None:
                return
            taken.append(following)
            yield following[1].decode() + "\n"

    reader = csv.reader(feed(), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        next(reader, None)
    except (csv.Error, UnicodeDecodeError):
        waiting.extendleft(reversed(taken))
        return []
    return [text for _, text in taken]


def path_of_line(line: bytes) -> str:
    """A row that is the path of a file, with slashes however the list was written.

    Raises:
        UnicodeDecodeError: if it is not UTF-8.
    """
    return line.decode("utf-8").strip().replace("\\", "/")


def cells_of(line: bytes, delimiter: str) -> list[str]:
    """Cells of any row, one that is no CSV too; what is no character stands as a mark."""
    text = line.decode("utf-8", "replace")
    try:
        cells = next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:  # a carriage return outside of quotes, or a cell that is too long
        cells = text.split(delimiter)
    return [cell.strip() for cell in cells]


def split_line(line: bytes, delimiter: str = ",") -> list[str]:
    """Cells of a row of CSV, without the spaces around them."""
    reader = csv.reader(
        [line.decode("utf-8")], delimiter=delimiter, strict=True, skipinitialspace=True
    )
    return [text.strip() for text in next(reader)]

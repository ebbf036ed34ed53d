"""Uploads: a multipart form whose file goes to disk as it arrives.

Starlette's own form parser gives no path of the file, and python-multipart's keeps text fields of
any length in memory; this one holds a chunk at a time.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from serving.problems import Problem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

__all__ = ["FILE_FIELDS", "Form", "Pace", "receive_form", "too_large"]

FILE_FIELDS = ("video", "picture")
_MAX_FIELDS = 16
_MAX_PARTS = 64
_MAX_FIELD_BYTES = 256


@dataclass(frozen=True)
class Form:
    """A form that was received.

    Attributes:
        file_name: the name that the client gave the file; not to be trusted.
        fields: the other fields that are not empty, by name.
        size: bytes of the file.
        digest: of the file, its name and the fields, in hexadecimal.
    """

    file_name: str
    fields: dict[str, str]
    size: int = field(default=0, compare=False)
    digest: str = field(default="", compare=False)


@dataclass(frozen=True)
class Pace:
    """How fast an upload must come.

    Attributes:
        idle_s: seconds without a byte after which it is given up.
        min_rate_hz: bytes a second, on average after the first `idle_s`.
    """

    idle_s: float
    min_rate_hz: int


async def receive_form(
    request: Request,
    file: Path,
    max_bytes: int,
    pace: Pace,
    files: Sequence[str] = FILE_FIELDS,
) -> Form:
    """Write a form's file to disk while it arrives.

    Args:
        request: its body is read.
        file: where the field `video` or `picture` is written; must not exist.
        max_bytes: at most so many bytes of the body are read.
        pace: how fast it must come.
        files: those of `FILE_FIELDS` that are named where none was sent.

    Raises:
        Problem: 400 for a broken form, 408 for a slow one, 413 for a large one, 415 for something
            else than a form, 422 without a file.
        ClientDisconnect: if the client goes away.
    """
    named = " or ".join(files)
    boundary = _boundary(request, named)
    _check_size(int(request.headers.get("content-length", "0")), max_bytes)
    parts, received, size, digest = _Parts(named), 0, 0, hashlib.sha256()
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        async with await anyio.open_file(file, "xb") as output:
            async for chunk in _in_time(request, pace):
                received += len(chunk)
                _check_size(received, max_bytes)
                parser.write(chunk)
                data = parts.take()
                size += len(data)
                digest.update(data)
                await output.write(data)
    except FormParserError as error:
        raise _broken(str(error)) from error
    if not parts.is_complete:
        raise _broken("it ends too early")
    if parts.file_name is None:
        detail = f"Send a file in the field {named}."
        errors = [{"field": name, "detail": detail} for name in files]
        raise Problem(422, "invalid-fields", detail, {"errors": errors})
    values = {name: value.decode(errors="replace") for name, value in parts.fields.items()}
    fields = {name: value for name, value in values.items() if value}
    digest.update(json.dumps([parts.file_name, sorted(fields.items())]).encode())
    return Form(parts.file_name, fields, size, digest.hexdigest())


async def _in_time(request: Request, pace: Pace) -> AsyncIterator[bytes]:
    """A body's pieces, as long as they come fast enough."""
    started, received, chunks = time.monotonic(), 0, aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(pace.idle_s):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise _too_slow(pace) from error
        received += len(chunk)
        if received < (time.monotonic() - started - pace.idle_s) * pace.min_rate_hz:
            raise _too_slow(pace)
        yield chunk


def _too_slow(pace: Pace) -> Problem:
    return Problem(
        408,
        "too-slow",
        f"Nothing came for {pace.idle_s:.0f} s, or less than {pace.min_rate_hz / 1000:.0f} kB a "
        "second. Send the file over a faster connection, or a smaller one.",
        headers={"Connection": "close"},
    )


def _boundary(request: Request, named: str) -> bytes:
    content_type, options = parse_options_header(request.headers.get("content-type"))
    if content_type != b"multipart/form-data":
        raise Problem(
            415,
            "unsupported-type",
            f"Send a form (multipart/form-data) with a file in the field {named}.",
        )
    if not options.get(b"boundary"):
        raise _broken("its Content-Type names no boundary")
    return options[b"boundary"]


def too_large(max_bytes: int) -> Problem:
    """The problem of an upload with more bytes than are accepted."""
    return Problem(
        413,
        "too-large",
        f"At most {max_bytes / 1e6:.0f} MB are accepted. Send a smaller file, or a shorter video.",
        headers={"Connection": "close"},
    )


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise too_large(max_bytes)


def _broken(why: str) -> Problem:
    return Problem(400, "bad-request", f"The form is broken: {why}. Send it again.")


class _Parts:
    """What the parser has seen so far; its callbacks.

    Args:
        named: the fields of files, in words.

    Attributes:
        file_name: the file's name, once it has begun.
        fields: the other fields.
        is_complete: whether the form's end was seen.
    """

    def __init__(self, named: str) -> None:
        self._only_files = f"{named} must be a file with a name, and nothing else may be one"
        self.file_name: str | None = None
        self.fields: dict[str, bytearray] = {}
        self.is_complete = False
        self._file_bytes = bytearray()
        self._nothing = bytearray()
        self._target = self._nothing
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._n_parts = 0

    def callbacks(self) -> "MultipartCallbacks":
        """For python-multipart."""
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add_data,
            "on_end": self._end,
        }

    def take(self) -> bytes:
        """Bytes of the file since the last call."""
        data = bytes(self._file_bytes)
        self._file_bytes.clear()
        return data

    def _begin_part(self) -> None:
        self._disposition = b""
        self._n_parts += 1
        if self._n_parts > _MAX_PARTS:  # those that are left empty count for no field
            raise FormParserError("it has too many parts")

    def _end_header(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = bytes(self._header[1])
        self._header = (bytearray(), bytearray())

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode(errors="replace")
        file_name = options.get(b"filename")
        if not name:
            raise FormParserError("a part of it has no name")
        if name in FILE_FIELDS and not file_name:  # how browsers send an input that is left empty
            self._target = self._nothing
            return
        if name not in FILE_FIELDS and file_name is not None:
            raise FormParserError(self._only_files)
        if name in self.fields or (file_name is not None and self.file_name is not None):
            raise FormParserError(f"it has the field {name!r} twice, or two files")
        if len(self.fields) >= _MAX_FIELDS:
            raise FormParserError("it has too many fields")
        if file_name is not None:
            self.file_name = file_name.decode(errors="replace")
            self._target = self._file_bytes
        else:
            self._target = self.fields[name] = bytearray()

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._target is self._nothing and end > start:
            raise FormParserError(self._only_files)
        self._target.extend(data[start:end])
        if self._target is not self._file_bytes and len(self._target) > _MAX_FIELD_BYTES:
            raise FormParserError(f"a field is longer than {_MAX_FIELD_BYTES} bytes")

    def _end(self) -> None:
        self.is_complete = True

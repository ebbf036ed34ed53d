"""Uploads: a multipart form whose file goes to disk as it arrives.

Starlette's own form parser gives no path of the file, and python-multipart's keeps text fields of
any length in memory; this one holds a chunk at a time.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from serving.problems import Problem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

__all__ = ["Form", "receive_form"]

FILE_FIELD = "video"
_MAX_FIELDS = 16
_MAX_FIELD_BYTES = 256


@dataclass(frozen=True)
class Form:
    """A form that was received.

    Attributes:
        file_name: the name that the client gave the file; not to be trusted.
        fields: the other fields that are not empty, by name.
    """

    file_name: str
    fields: dict[str, str]


async def receive_form(request: Request, file: Path, max_bytes: int) -> Form:
    """Write a form's file to disk while it arrives.

    Args:
        request: its body is read.
        file: where the field `video` is written; must not exist.
        max_bytes: at most so many bytes of the body are read.

    Raises:
        Problem: 400 for a broken form, 413 for a large one, 415 for something else than a form,
            422 without a video.
        ClientDisconnect: if the client goes away.
    """
    boundary = _boundary(request)
    _check_size(int(request.headers.get("content-length", "0")), max_bytes)
    parts, received = _Parts(), 0
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        async with await anyio.open_file(file, "xb") as output:
            async for chunk in request.stream():
                received += len(chunk)
                _check_size(received, max_bytes)
                parser.write(chunk)
                await output.write(parts.take())
    except FormParserError as error:
        raise _broken(str(error)) from error
    if not parts.is_complete:
        raise _broken("it ends too early")
    if parts.file_name is None:
        raise Problem(422, "invalid-fields", f"Send the video as a file in the field {FILE_FIELD}.")
    values = {name: value.decode(errors="replace") for name, value in parts.fields.items()}
    return Form(parts.file_name, {name: value for name, value in values.items() if value})


def _boundary(request: Request) -> bytes:
    content_type, options = parse_options_header(request.headers.get("content-type"))
    if content_type != b"multipart/form-data":
        raise Problem(
            415,
            "unsupported-type",
            f"Send a form (multipart/form-data) with the video as a file in {FILE_FIELD}.",
        )
    if not options.get(b"boundary"):
        raise _broken("its Content-Type names no boundary")
    return options[b"boundary"]


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise Problem(
            413,
            "too-large",
            f"At most {max_bytes / 1e6:.0f} MB are accepted. Send a shorter or a smaller video.",
            headers={"Connection": "close"},
        )


def _broken(why: str) -> Problem:
    return Problem(400, "bad-request", f"The form is broken: {why}. Send it again.")


class _Parts:
    """What the parser has seen so far; its callbacks.

    Attributes:
        file_name: the file's name, once it has begun.
        fields: the other fields.
        is_complete: whether the form's end was seen.
    """

    def __init__(self) -> None:
        self.file_name: str | None = None
        self.fields: dict[str, bytearray] = {}
        self.is_complete = False
        self._file_bytes = bytearray()
        self._target = bytearray()
        self._header = (bytearray(), bytearray())
        self._disposition = b""

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

    def _end_header(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = bytes(self._header[1])
        self._header = (bytearray(), bytearray())

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode(errors="replace")
        file_name = options.get(b"filename")
        if (name == FILE_FIELD) != (file_name is not None):
            raise FormParserError(f"{FILE_FIELD} must be a file, and nothing else may be one")
        if name in self.fields or (file_name is not None and self.file_name is not None):
            raise FormParserError(f"it has the field {name!r} twice")
        if len(self.fields) >= _MAX_FIELDS:
            raise FormParserError("it has too many fields")
        if file_name is not None:
            self.file_name = file_name.decode(errors="replace")
            self._target = self._file_bytes
        else:
            self._target = self.fields[name] = bytearray()

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._target.extend(data[start:end])
        if self._target is not self._file_bytes and len(self._target) > _MAX_FIELD_BYTES:
            raise FormParserError(f"a field is longer than {_MAX_FIELD_BYTES} bytes")

    def _end(self) -> None:
        self.is_complete = True

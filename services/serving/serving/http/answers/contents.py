"""Bytes as answers: the whole, or the part that is asked for, on the conditions that are named."""

import mimetypes
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from anyio import to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from s2s.errors import ObjectNotFoundError
from s2s.storage.bucket import crc32c_of
from serving.http.answers.conditions import byte_range, failed_condition
from serving.http.answers.problems import answer_of
from serving.problems import Problem

__all__ = ["Content", "content_answer"]

_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Content:
    """What is sent.

    Attributes:
        size: its bytes.
        etag: names this content.
        media_type: what it is.
        read: bytes from an index on, so many; may be called in any thread.
        caching: who may keep it, and for how long.
    """

    size: int
    etag: str
    media_type: str
    read: Callable[[int, int], bytes]
    caching: str = "private, no-cache"

    @classmethod
    def of_bytes(cls, data: bytes, media_type: str) -> Self:
        """What is in memory."""
        etag = f'"{crc32c_of(data)}"'
        return cls(len(data), etag, media_type, lambda at, length: data[at : at + length])

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """A small file that is part of the page; read once."""
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        is_text = kind.startswith("text/")
        found = cls.of_bytes(path.read_bytes(), f"{kind}; charset=utf-8" if is_text else kind)
        return replace(found, caching="no-cache")


async def content_answer(
    request: Request, content: Content, more_headers: Mapping[str, str] | None = None
) -> Response:
    """Answer a GET or HEAD with some content.

    Args:
        request: may ask for a range, on conditions.
        content: what is there.
        more_headers: of the answer, where it has a body.

    Raises:
        Problem: 404 if the content is gone, 412 if a condition is not met.
    """
    always = {"ETag": content.etag, "Cache-Control": content.caching}
    status = failed_condition(request.headers, content.etag)
    if status == 304:
        return Response(status_code=304, headers=always)
    if status == 412:
        detail = "It is another than the one in If-Match. Ask again without the condition."
        raise Problem(412, "condition", detail, headers=always)
    headers = {**always, **(more_headers or {}), "Accept-Ranges": "bytes"}
    size = content.size
    if request.method == "HEAD":
        headers["Content-Length"] = str(size)
        return Response(headers=headers, media_type=content.media_type)
    status, start, stop = byte_range(request.headers, content.etag, size)
    if status == 416:
        detail = f"It has {size} bytes. Ask for some of these, or without Range."
        return answer_of(
            Problem(416, "range", detail, headers={"Content-Range": f"bytes */{size}"})
        )
    headers["Content-Length"] = str(stop - start)
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    pieces = _pieces(content, start, stop)
    try:
        first = await anext(pieces)
    except ObjectNotFoundError as error:
        raise Problem(404, "no-such-job", "Its result is gone. Send the file again.") from error
    except StopAsyncIteration:
        first = b""
    return StreamingResponse(
        _with_first(first, pieces), status, headers=headers, media_type=content.media_type
    )


async def _pieces(content: Content, start: int, stop: int) -> AsyncIterator[bytes]:
    for at in range(start, stop, _PIECE_BYTES):
        yield await to_thread.run_sync(content.read, at, min(_PIECE_BYTES, stop - at))


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece

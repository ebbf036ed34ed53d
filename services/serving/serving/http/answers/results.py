"""Results as answers: a file, whole or the part that a player asks for, or the document."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from anyio import to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from s2s.errors import ObjectNotFoundError
from s2s.storage import Bucket
from s2s.storage.bucket import crc32c_of
from serving.http.answers.conditions import byte_range, failed_condition
from serving.http.answers.headers import SEED_HEADER
from serving.http.answers.problems import answer_of
from serving.jobs.job import Job, StoredFile
from serving.problems import Problem

__all__ = ["file_answer", "result_answer"]

_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class _Content:
    """What is sent.

    Attributes:
        size: its bytes.
        etag: names this content.
        media_type: what it is.
        file_name: a name for people; empty where it is to be shown, not saved.
        read: bytes from an index on, so many; may be called in any thread.
    """

    size: int
    etag: str
    media_type: str
    file_name: str
    read: Callable[[int, int], bytes]


async def result_answer(request: Request, job: Job, bucket: Bucket) -> Response:
    """The first file of what a job made, or its document if it made no file.

    Args:
        request: may ask for a range, on conditions.
        job: it is done.
        bucket: where its files are.

    Raises:
        Problem: 404 if the file is gone, 412 if a condition is not met, 416 if there is no such
            part.
    """
    assert job.result is not None  # noqa: S101 - it is done
    if job.result.files:
        return await file_answer(request, job, job.result.files[0], bucket)
    document = json.dumps(job.result.document, ensure_ascii=False).encode()
    content = _Content(
        len(document),
        f'"{crc32c_of(document)}"',
        "application/json",
        "",
        lambda start, length: document[start : start + length],
    )
    return await _answer(request, job, content)


async def file_answer(request: Request, job: Job, file: StoredFile, bucket: Bucket) -> Response:
    """A file that a job made, from the bucket, a piece at a time; see `result_answer`."""
    read = partial(_read, bucket, file.key)
    content = _Content(file.size, f'"{file.crc32c}"', file.media_type, file.file_name, read)
    return await _answer(request, job, content)


async def _answer(request: Request, job: Job, content: _Content) -> Response:
    always = {"ETag": content.etag, "Cache-Control": "private, no-cache"}
    status = failed_condition(request.headers, content.etag)
    if status == 304:
        return Response(status_code=304, headers=always)
    if status == 412:
        detail = "The result is another than the one in If-Match. Ask again without the condition."
        raise Problem(412, "condition", detail, headers=always)
    headers = always | _headers(job, content) | {"Accept-Ranges": "bytes"}
    size = content.size
    if request.method == "HEAD":
        headers["Content-Length"] = str(size)
        return Response(headers=headers, media_type=content.media_type)
    status, start, stop = byte_range(request.headers, content.etag, size)
    if status == 416:
        detail = f"The result has {size} bytes. Ask for some of these, or without Range."
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


def _headers(job: Job, content: _Content) -> dict[str, str]:
    timing = ", ".join(f"{step};dur={1000 * seconds:.1f}" for step, seconds in job.seconds.items())
    headers = {"Server-Timing": timing}
    if content.file_name:
        headers["Content-Disposition"] = _disposition(content.file_name)
    if "seed" in job.options:
        headers[SEED_HEADER] = str(job.options["seed"])
    return headers


def _disposition(file_name: str) -> str:
    name = file_name.encode("ascii", "replace").decode().replace("?", "_")
    disposition = f'attachment; filename="{name}"'
    if name != file_name:
        encoded = "".join(f"%{byte:02X}" for byte in file_name.encode())
        disposition += f"; filename*=UTF-8''{encoded}"
    return disposition


async def _pieces(content: _Content, start: int, stop: int) -> AsyncIterator[bytes]:
    for at in range(start, stop, _PIECE_BYTES):
        yield await to_thread.run_sync(content.read, at, min(_PIECE_BYTES, stop - at))


def _read(bucket: Bucket, key: str, start: int, length: int) -> bytes:
    try:
        with bucket.open_range(key, start, length) as file:
            return file.read()
    except ObjectNotFoundError:
        bucket.check()  # a bucket that is away has no objects either
        raise


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece

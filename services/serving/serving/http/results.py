"""Results as answers: whole, or the part that a player asks for."""

import re
from collections.abc import AsyncIterator
from typing import Final

from anyio import to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from s2s.errors import ObjectNotFoundError
from s2s.storage import Bucket
from serving.http.headers import SEED_HEADER
from serving.http.problems import Problem, answer_of
from serving.jobs.store import Job, Result

__all__ = ["result_answer"]

_PIECE_BYTES: Final = 1 << 20
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


async def result_answer(request: Request, job: Job, bucket: Bucket) -> Response:
    """What a job made, from the bucket, a piece at a time (RFC 9110, section 14).

    A request for several ranges, or for one in another unit, is answered with the whole.

    Args:
        request: may ask for a range, on the condition of an unchanged result.
        job: it is done.
        bucket: where its result is.

    Raises:
        Problem: 404 if the result is gone.
    """
    result = job.result
    assert result is not None  # noqa: S101 - it is done
    etag = f'"{result.crc32c}"'
    headers = _headers(job, result) | {"ETag": etag, "Accept-Ranges": "bytes"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    asked = request.headers.get("range", "")
    if request.headers.get("if-range", etag) != etag:
        asked = ""
    part = _part(asked, result.size)
    if part is None:
        detail = f"The result has {result.size} bytes. Ask for some of these, or without Range."
        size = {"Content-Range": f"bytes */{result.size}"}
        return answer_of(Problem(416, "range", detail, headers=size))
    start, stop = part
    headers["Content-Length"] = str(stop - start)
    if (start, stop) != (0, result.size):
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{result.size}"
    status = 206 if "Content-Range" in headers else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=result.media_type)
    pieces = _pieces(bucket, result.key, start, stop)
    try:
        first = await anext(pieces)
    except ObjectNotFoundError as error:
        raise Problem(404, "no-such-job", "Its result is gone. Send the file again.") from error
    except StopAsyncIteration:
        first = b""
    return StreamingResponse(
        _with_first(first, pieces), status, headers=headers, media_type=result.media_type
    )


def _headers(job: Job, result: Result) -> dict[str, str]:
    timing = ", ".join(f"{step};dur={1000 * seconds:.1f}" for step, seconds in job.seconds.items())
    name = result.file_name.encode("ascii", "replace").decode().replace("?", "_")
    disposition = f'attachment; filename="{name}"'
    if name != result.file_name:
        disposition += f"; filename*=UTF-8''{_percent_encoded(result.file_name)}"
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": disposition,
        "Server-Timing": timing,
    }
    if "seed" in job.options:
        headers[SEED_HEADER] = str(job.options["seed"])
    return headers


def _percent_encoded(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """First byte, and the one after the last; None if there is no such part."""
    match = _RANGE.fullmatch(asked.replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else None
    start, stop = int(first), min(int(last) + 1 if last else size, size)
    if last and int(last) < int(first):
        return 0, size  # not a range at all
    return (start, stop) if start < size else None


async def _pieces(bucket: Bucket, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
    for at in range(start, stop, _PIECE_BYTES):
        yield await to_thread.run_sync(_read, bucket, key, at, min(_PIECE_BYTES, stop - at))


def _read(bucket: Bucket, key: str, start: int, length: int) -> bytes:
    with bucket.open_range(key, start, length) as file:
        return file.read()


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece

"""Results as answers: a file, or the document."""

import json
from functools import partial

from fastapi import Request, Response

from s2s.errors import ObjectNotFoundError
from s2s.storage import Bucket
from serving.http.answers.contents import Content, content_answer
from serving.http.answers.headers import SEED_HEADER
from serving.jobs.job import Job, StoredFile

__all__ = ["file_answer", "result_answer"]


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
    content = Content.of_bytes(document, "application/json")
    return await content_answer(request, content, _headers(job))


async def file_answer(request: Request, job: Job, file: StoredFile, bucket: Bucket) -> Response:
    """A file that a job made, from the bucket, a piece at a time; see `result_answer`."""
    read = partial(_read, bucket, file.key)
    content = Content(file.size, f'"{file.crc32c}"', file.media_type, read)
    return await content_answer(request, content, _headers(job, file.file_name))


def _headers(job: Job, file_name: str = "") -> dict[str, str]:
    """Of a result; one without a name is to be shown, not saved."""
    timing = ", ".join(f"{step};dur={1000 * seconds:.1f}" for step, seconds in job.seconds.items())
    headers = {"Server-Timing": timing}
    if file_name:
        headers["Content-Disposition"] = _disposition(file_name)
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


def _read(bucket: Bucket, key: str, start: int, length: int) -> bytes:
    try:
        with bucket.open_range(key, start, length) as file:
            return file.read()
    except ObjectNotFoundError:
        bucket.check()  # a bucket that is away has no objects either
        raise

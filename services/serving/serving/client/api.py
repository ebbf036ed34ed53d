"""Requests of the API: a file is sent, its job followed, and what was made of it fetched."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import httpx

from s2s.errors import S2SError
from serving.http.answers.headers import SEED_HEADER

__all__ = [
    "Answer",
    "ApiError",
    "fetch",
    "generate",
    "make",
    "open_client",
    "read_offers",
    "send_file",
]

_CONNECT_TIMEOUT_S = 10.0
_MAX_ATTEMPTS, _RETRY_S = 10, 1.0
_TIMING = re.compile(r"([\w-]+);dur=([\d.]+)")


class ApiError(S2SError):
    """The API refused a request, or could not be reached.

    Args:
        status: the HTTP status; 0 if there was no answer.
        message: what was wrong, and what to do.
        reason: the reason code of a video that cannot be used.
    """

    def __init__(self, status: int, message: str, reason: str | None = None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.reason = reason

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Answer:
    """What came with a result.

    Attributes:
        seed: the seed that was used; 0 for a model that draws nothing.
        seconds_by_step: time that each of the server's steps took.
        media_type: of the result.
    """

    seed: int
    seconds_by_step: dict[str, float]
    media_type: str = ""


def generate(
    http: httpx.Client,
    video: BinaryIO,
    name: str,
    output: Path,
    options: Mapping[str, object] | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Answer:
    """Give a video or a picture sound; see `send_file`."""
    return send_file(
        http, "generations", video, name, output, options=options, on_progress=on_progress
    )


def send_file(  # noqa: PLR0913 - a request and what is done with its answer
    http: httpx.Client,
    route: str,
    file: BinaryIO,
    name: str,
    output: Path,
    *,
    options: Mapping[str, object] | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Answer:
    """Send a video or a picture, wait for the job, and write its result.

    Args:
        http: a client whose base URL is the API's.
        route: of the task, such as `generations`.
        file: the file, read piece by piece.
        name: its file name.
        output: where the result is written, whole or not at all: its first file, or its document.
        options: fields of the form, see docs/api.md.
        on_progress: told how far the job is, 0 to 1.

    Raises:
        ApiError: if the API refuses it, the job fails, or there is no answer.
    """
    job = make(http, route, file, name, options=options, on_progress=on_progress)
    return fetch(http, job["links"]["result"], output)


def make(
    http: httpx.Client,
    route: str,
    file: BinaryIO,
    name: str,
    *,
    options: Mapping[str, object] | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Mapping[str, Any]:
    """Send a file and wait until its job is done; see `send_file`.

    Returns:
        the job's document.

    Raises:
        ApiError: if the API refuses it, the job fails, or there is no answer.
    """
    fields = {key: str(value) for key, value in (options or {}).items()}
    with _told(http):
        accepted = _send(http, f"/v1/{route}", file, name, fields)
        if accepted.status_code != httpx.codes.ACCEPTED:
            raise _refusal(accepted)
        links = accepted.json()["links"]
        _follow(http, links["events"], on_progress)
        job = _read(http, links["self"])
    if job.get("problem"):
        raise _error_of(job["problem"]["status"], job["problem"])
    return job


def fetch(http: httpx.Client, url: str, output: Path) -> Answer:
    """Write what is at an address of the API, whole or not at all.

    Raises:
        ApiError: if the API refuses it, or there is no answer.
    """
    with _told(http):
        return _fetch(http, url, output)


def read_offers(http: httpx.Client) -> list[Mapping[str, Any]]:
    """The models that are served, as `/v1/models` has them.

    Raises:
        ApiError: if there is no answer.
    """
    with _told(http):
        return _read(http, "/v1/models")["models"]


@contextmanager
def _told(http: httpx.Client) -> Iterator[None]:
    """Tell whatever keeps an answer from being there as one kind of error."""
    try:
        yield
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise ApiError(
            0,
            f"{http.base_url}: no whole answer ({error or type(error).__name__}). Start the server "
            "with './s2s serve', or name another with --url",
        ) from error


def open_client(url: str, key: str | None = None) -> httpx.Client:
    """A client for the API at an address; an answer may take as long as it takes.

    Args:
        url: the address.
        key: a key of the API, where it needs one.
    """
    timeout = httpx.Timeout(None, connect=_CONNECT_TIMEOUT_S)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=url, timeout=timeout, trust_env=False, headers=headers)


def _send(
    http: httpx.Client, url: str, video: BinaryIO, name: str, fields: Mapping[str, str]
) -> httpx.Response:
    """Ask for a job; again where the connection breaks, which makes no second one."""
    headers, attempts = {"Idempotency-Key": uuid4().hex}, 0
    while True:
        try:
            video.seek(0)
            files = {"video": (name, video)}
            return http.post(url, files=files, data=fields, headers=headers)
        except httpx.TransportError as error:
            attempts += 1
            is_first = attempts == 1 and isinstance(error, httpx.ConnectError)  # no server
            if is_first or attempts == _MAX_ATTEMPTS:
                raise
            time.sleep(_RETRY_S)


def _follow(http: httpx.Client, url: str, on_progress: Callable[[float], None]) -> None:
    """Wait until a job is finished; a connection that breaks is taken up where it was."""
    last, attempts = "0", 0
    while attempts < _MAX_ATTEMPTS:
        try:
            with http.stream("GET", url, headers={"Last-Event-ID": last}) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _refusal(answer)
                for line in answer.iter_lines():
                    field, _, value = line.partition(": ")
                    if field == "id":
                        last, attempts = value, 0
                    elif field == "data":
                        on_progress(json.loads(value)["progress"])
            return
        except httpx.TransportError:
            attempts += 1
            time.sleep(_RETRY_S)


def _read(http: httpx.Client, url: str) -> Any:
    answer = http.get(url)
    if not answer.is_success:
        raise _refusal(answer)
    return answer.json()


def _fetch(http: httpx.Client, url: str, output: Path) -> Answer:
    staged = output.with_name(f".{uuid4().hex}.part")  # others may write the same file
    try:
        with http.stream("GET", url) as answer:
            if not answer.is_success:
                answer.read()
                raise _refusal(answer)
            with staged.open("wb") as file:
                for piece in answer.iter_bytes():
                    file.write(piece)
        staged.replace(output)
    finally:
        staged.unlink(missing_ok=True)
    timing = _TIMING.findall(answer.headers.get("server-timing", ""))
    seconds = {step: float(value) / 1000 for step, value in timing}
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    return Answer(int(answer.headers.get(SEED_HEADER, 0)), seconds, media_type)


def _refusal(answer: httpx.Response) -> ApiError:
    if answer.headers.get("content-type") != "application/problem+json":
        return ApiError(
            answer.status_code, f"{answer.url} answered with status {answer.status_code}"
        )
    return _error_of(answer.status_code, answer.json())


def _error_of(status: int, problem: Mapping[str, Any]) -> ApiError:
    message = f"{problem['title']}: {problem['detail']}"
    return ApiError(status, message, problem.get("reason"))

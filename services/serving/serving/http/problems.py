"""Errors as RFC 9457 problem documents: what was wrong, and what to do."""

import errno
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from s2s.errors import MediaError, UnsupportedMediaError
from serving.http.headers import SECURITY_HEADERS

__all__ = [
    "PROBLEM_RESPONSES",
    "TITLES",
    "Problem",
    "ProblemDocument",
    "add_problem_handlers",
    "answer_of",
    "invalid_fields",
    "problem_of",
    "responses",
]

log = logging.getLogger(__name__)

_MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:problem-type:s2s:"
_CLIENT_GONE = 499
_FULL = {errno.ENOSPC, errno.EDQUOT}
TITLES = {
    "bad-request": "The request cannot be read",
    "too-large": "The upload is too large",
    "unsupported-type": "This kind of file is not accepted",
    "unusable-video": "The video cannot be used",
    "invalid-fields": "A field is missing or wrong",
    "too-slow": "The upload takes too long",
    "unauthorized": "A key is needed",
    "rate-limited": "Too many requests with this key",
    "queue-full": "The queue is full",
    "no-such-job": "There is no such job",
    "not-done": "The job is not done yet",
    "range": "There is no such part of the result",
    "not-ready": "The server takes no work now",
    "disk-full": "The server has no room for the upload",
    "internal": "The server made a mistake",
}
"""Every kind of problem; docs/api.md says when each occurs."""


class ProblemDocument(BaseModel):
    """A problem as a client sees it.

    Attributes:
        type: a name for this kind of problem that never changes.
        title: the kind of problem in words.
        status: the HTTP status.
        detail: what was wrong this time, and what to do.
        reason: for an unusable video, the reason code that the pipeline uses too.
        errors: for invalid fields, what is wrong with each.
    """

    type: str
    title: str
    status: int
    detail: str
    reason: str | None = None
    errors: list[dict[str, str]] | None = None


class Problem(Exception):  # noqa: N818 - the name that RFC 9457 gives it
    """Ends a request with a problem document.

    Args:
        status: the HTTP status.
        kind: one of the kinds in docs/api.md, such as "too-large".
        detail: what was wrong, and what to do.
        members: further members of the document, `reason` or `errors`.
        headers: headers of the answer.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, kind, detail)
        self.kind = kind
        self.headers = headers
        self.document = ProblemDocument(
            type=_TYPE_PREFIX + kind,
            title=TITLES[kind],
            status=status,
            detail=detail,
            **(members or {}),
        )


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {_MEDIA_TYPE: {"schema": ProblemDocument.model_json_schema()}},
    }
    for status in (400, 401, 404, 408, 409, 413, 415, 416, 422, 429, 500, 503, 507)
}
"""How OpenAPI describes problems, by status."""


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How OpenAPI describes the problems that a route answers with."""
    return {status: PROBLEM_RESPONSES[status] for status in statuses}


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an app with a problem document."""
    for kind in (Problem, MediaError, OSError):
        app.add_exception_handler(kind, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_bug)


def _answer(document: ProblemDocument, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(
        document.model_dump(exclude_none=True),
        document.status,
        headers=headers,
        media_type=_MEDIA_TYPE,
    )


def problem_of(error: BaseException) -> Problem:
    """The problem that an error is told as; one that is not foreseen is logged."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, UnsupportedMediaError):
        return Problem(415, "unsupported-type", error.message)
    if isinstance(error, MediaError):
        return Problem(422, "unusable-video", error.message, {"reason": str(error.reason)})
    if isinstance(error, OSError) and error.errno in _FULL:
        log.error("the disk is full: %s", error)
        detail = "The server's disk is full. Try again later, or with a smaller file."
        return Problem(507, "disk-full", detail)
    # The error itself is only logged: it may tell more about this machine than a client should
    # know.
    log.error("not foreseen", exc_info=error)
    return Problem(500, "internal", "This is a fault of the server, which has logged it.")


def answer_of(problem: Problem) -> Response:
    """A problem as an answer."""
    return _answer(problem.document, problem.headers)


def _on_error(_request: Request, error: Exception) -> Response:
    return answer_of(problem_of(error))


def _on_invalid(_request: Request, error: Exception) -> Response:
    """A parameter of the address or a header is wrong."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker
    return answer_of(invalid_fields(error.errors()))


def invalid_fields(found: Sequence[Any]) -> Problem:
    """The problem of fields that pydantic does not take."""
    errors = [
        {"field": ".".join(map(str, item["loc"])), "detail": str(item["msg"])} for item in found
    ]
    detail = "; ".join(f"{item['field']}: {item['detail']}" for item in errors)
    return Problem(422, "invalid-fields", detail, {"errors": errors})


def _on_http_exception(_request: Request, error: Exception) -> Response:
    """No such page, or a method that it does not have."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    title = HTTPStatus(error.status_code).phrase
    document = ProblemDocument(
        type="about:blank", title=title, status=error.status_code, detail=error.detail
    )
    return _answer(document, error.headers)


def _on_disconnect(_request: Request, _error: Exception) -> Response:
    return Response(status_code=_CLIENT_GONE)  # nobody is there to read more


def _on_bug(_request: Request, error: Exception) -> Response:
    # Runs outside of all middleware.
    problem = problem_of(error)
    return _answer(problem.document, SECURITY_HEADERS)

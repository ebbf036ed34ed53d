"""Errors as RFC 9457 problem documents: what was wrong, and what to do."""

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from s2s.errors import MediaError
from serving.headers import SECURITY_HEADERS

__all__ = ["PROBLEM_RESPONSES", "TITLES", "Problem", "ProblemDocument", "add_problem_handlers"]

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
    "not-ready": "The model is not ready",
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
    for status in (400, 413, 415, 422, 500, 503, 507)
}
"""How OpenAPI describes the problems of a route that takes uploads."""


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an app with a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(MediaError, _on_media_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(OSError, _on_os_error)
    app.add_exception_handler(Exception, _on_bug)


def _answer(document: ProblemDocument, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(
        document.model_dump(exclude_none=True),
        document.status,
        headers=headers,
        media_type=_MEDIA_TYPE,
    )


def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - for the type checker
    return _answer(error.document, error.headers)


def _on_media_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MediaError)  # noqa: S101 - for the type checker
    members = {"reason": str(error.reason)}
    return _on_problem(request, Problem(422, "unusable-video", error.message, members))


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


def _on_os_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)  # noqa: S101 - for the type checker
    if error.errno not in _FULL:
        raise error
    log.error("the disk is full: %s", error)
    detail = "The server's disk is full. Try again later, or with a smaller file."
    return _on_problem(request, Problem(507, "disk-full", detail))


def _on_bug(_request: Request, _error: Exception) -> Response:
    # Runs outside of all middleware, and the error itself is logged there: it may tell more
    # about this machine than a client should know.
    problem = Problem(500, "internal", "This is a fault of the server, which has logged it.")
    return _answer(problem.document, SECURITY_HEADERS)

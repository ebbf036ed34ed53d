"""Problems as answers, and how OpenAPI describes them."""

import sqlite3
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from s2s.errors import BucketUnavailableError, MediaError
from serving.http.answers.headers import SECURITY_HEADERS
from serving.http.methods import allowed_methods
from serving.jobs.database import DatabaseUnavailableError
from serving.jobs.job import Job
from serving.problems import Problem, ProblemDocument, invalid_fields, problem_of

__all__ = [
    "PROBLEM_RESPONSES",
    "add_problem_handlers",
    "answer_of",
    "failure_answer",
    "not_found",
    "responses",
]

_MEDIA_TYPE = "application/problem+json"
_CLIENT_GONE = 499
_STATUSES = (400, 401, 403, 404, 408, 409, 412, 413, 415, 416, 421, 422, 429, 431, 500, 503, 507)

PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {_MEDIA_TYPE: {"schema": ProblemDocument.model_json_schema()}},
    }
    for status in _STATUSES
}
"""How OpenAPI describes problems, by status."""


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How OpenAPI describes the problems that a route answers with."""
    return {status: PROBLEM_RESPONSES[status] for status in statuses}


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an app with a problem document."""
    kinds = (Problem, MediaError, OSError, BucketUnavailableError, DatabaseUnavailableError)
    for kind in (*kinds, sqlite3.Error):
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


def answer_of(problem: Problem) -> Response:
    """A problem as an answer."""
    return _answer(problem.document, problem.headers)


def not_found() -> Response:
    """The answer where nothing is, whatever was sent there; the rest of that is not read."""
    status = HTTPStatus.NOT_FOUND
    document = ProblemDocument(
        type="about:blank", title=status.phrase, status=status, detail=status.phrase
    )
    return _answer(document, {"Connection": "close"})


def failure_answer(job: Job) -> Response:
    """Why a job failed, as an answer."""
    problem = ProblemDocument.model_validate(job.problem)
    kind = problem.type.rpartition(":")[2]
    members = {"reason": problem.reason, "errors": problem.errors}
    return answer_of(Problem(problem.status, kind, problem.detail, members))


def _on_error(_request: Request, error: Exception) -> Response:
    return answer_of(problem_of(error))


def _on_invalid(_request: Request, error: Exception) -> Response:
    """A parameter of the address or a header is wrong."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker
    return answer_of(invalid_fields(error.errors()))


def _on_http_exception(request: Request, error: Exception) -> Response:
    """No such page, or a method that it does not have."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    if error.status_code == HTTPStatus.BAD_REQUEST:
        detail = "The body cannot be read. Send what the API's description says."
        return answer_of(Problem(400, "bad-request", detail))
    if request.scope["path"] == "*":  # only OPTIONS may ask for the server as a whole
        return Response(status_code=204, headers={"Allow": ", ".join(allowed_methods(request.app))})
    title = HTTPStatus(error.status_code).phrase
    document = ProblemDocument(
        type="about:blank", title=title, status=error.status_code, detail=error.detail
    )
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed_methods(request.app, request.url.path))
    return _answer(document, headers)


def _on_disconnect(_request: Request, _error: Exception) -> Response:
    return Response(status_code=_CLIENT_GONE)  # the client reads nothing more


def _on_bug(_request: Request, error: Exception) -> Response:
    # Runs outside of all middleware.
    problem = problem_of(error)
    return _answer(problem.document, SECURITY_HEADERS)

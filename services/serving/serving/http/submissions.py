"""`POST /v1/<route>`: a file goes in, a job comes out."""

import asyncio
import shutil
import time
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError

from s2s.media import check_upload, run_sandboxed
from serving.http.documents import JobDocument, job_document
from serving.http.form import FILE_FIELDS, Pace, receive_form
from serving.http.headers import SEED_HEADER
from serving.http.problems import Problem, ProblemDocument, answer_of, invalid_fields, responses
from serving.http.results import result_answer
from serving.http.service import Service, owner_of, service_of
from serving.jobs.runner import UPLOAD_NAME
from serving.jobs.store import Job, State
from serving.models.contract import ServedModel

__all__ = ["MAX_WAIT_S", "failure_answer", "submission_router"]

MAX_WAIT_S = 600.0
_Endpoint = Callable[..., Coroutine[Any, Any, Response]]


def submission_router(model: ServedModel) -> APIRouter:
    """The route that makes jobs of a model."""
    router = APIRouter(prefix="/v1", tags=[model.task])
    router.add_api_route(
        f"/{model.route}",
        _endpoint(model),
        methods=["POST"],
        operation_id=f"make_{model.route}",
        summary=model.title,
        response_class=Response,
        status_code=202,
        responses=_responses(),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"multipart/form-data": {"schema": _form_schema(model)}},
            }
        },
    )
    return router


def _endpoint(model: ServedModel) -> _Endpoint:
    async def submit(
        request: Request,
        service: Annotated[Service, Depends(service_of)],
        owner: Annotated[str, Depends(owner_of)],
        wait: Annotated[
            float,
            Query(
                ge=0,
                le=MAX_WAIT_S,
                allow_inf_nan=False,
                description="Seconds to wait for the result; in time, the answer is the result.",
            ),
        ] = 0.0,
        idempotency_key: Annotated[
            str | None,
            Header(
                min_length=16,
                max_length=128,
                description="A random name for this request: sent again, it makes no second job.",
            ),
        ] = None,
    ) -> Response:
        """Queue a job; with `wait`, answer with its result if that is ready in time."""
        service.check_ready()
        job = service.store.of_request(owner, idempotency_key)
        if job is None:
            service.rate_limit.check(owner or (request.client.host if request.client else ""))
            service.check_room()
            service.n_arriving += 1
            try:
                job = await _receive(request, service, model, owner)
            finally:
                service.n_arriving -= 1
        job = await _finished(service, job, wait)
        if job is None:
            raise Problem(404, "no-such-job", "It was removed while it was worked on.")
        if job.state is State.DONE:
            answer = await result_answer(request, job, service.runner.bucket)
        elif job.state is State.FAILED:
            answer = failure_answer(job)
        else:
            document = job_document(job, service.store.position(job.id))
            answer = JSONResponse(document.model_dump(mode="json", exclude_none=True), 202)
        answer.headers["Location"] = f"/v1/jobs/{job.id}"
        return answer

    return submit


async def _receive(request: Request, service: Service, model: ServedModel, owner: str) -> Job:
    """Take an upload in, check it, and queue a job for it."""
    limits, job_id = service.limits, service.store.new_id()
    folder = service.runner.folder_of(job_id)
    upload, seconds = folder / UPLOAD_NAME, {}
    folder.mkdir()
    try:
        started = time.monotonic()
        pace = Pace(limits.idle_s, limits.min_upload_rate_hz)
        form = await receive_form(request, upload, limits.max_upload_bytes, pace)
        options = _parse_options(model.options, form.fields)
        received = time.monotonic()
        check = partial(run_sandboxed, folder=folder)
        kind = await to_thread.run_sync(
            check, check_upload, upload, form.file_name, limits.media, model.types
        )
        seconds |= {"upload": received - started, "check": time.monotonic() - received}
        fields = {
            "route": model.route,
            "owner": owner,
            "file_name": form.file_name,
            "kind": kind,
            "options": options.model_dump(),
        }
        job = service.store.add(job_id, fields, seconds, request.headers.get("idempotency-key"))
    except BaseException:
        await _remove(folder)
        raise
    if job.id == job_id:
        service.runner.enqueue(job_id)
    else:  # the same request came over two connections at a time
        await _remove(folder)
    return job


async def _remove(folder: Path) -> None:
    await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


async def _finished(service: Service, job: Job, wait_s: float) -> Job | None:
    """The job as it is when it is finished, or the time is over; None if it was removed."""
    until, now = time.monotonic() + wait_s, job
    while not now.state.is_final and (left_s := until - time.monotonic()) > 0:
        await service.runner.wait_for_change(job.id, left_s)
        changed = service.store.get(job.id)
        if changed is None:
            return None
        now = changed
    return now


def failure_answer(job: Job) -> Response:
    """Why a job failed, as an answer."""
    problem = ProblemDocument.model_validate(job.problem)
    kind = problem.type.rpartition(":")[2]
    members = {"reason": problem.reason, "errors": problem.errors}
    return answer_of(Problem(problem.status, kind, problem.detail, members))


def _parse_options(options: type[BaseModel], fields: Mapping[str, str]) -> BaseModel:
    try:
        return options.model_validate(fields)
    except ValidationError as error:
        raise invalid_fields(error.errors()) from error


def _form_schema(model: ServedModel) -> dict[str, Any]:
    schema = model.options.model_json_schema()
    kinds = {"type": "string", "format": "binary", "description": ", ".join(model.types)}
    schema["properties"] = {**dict.fromkeys(FILE_FIELDS, kinds), **schema["properties"]}
    return schema | {"oneOf": [{"required": [name]} for name in FILE_FIELDS]}


def _responses() -> dict[int | str, dict[str, Any]]:
    text = {"schema": {"type": "string"}}
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {
        200: {
            "description": "The result, when it is ready within `wait` seconds.",
            "content": {"video/mp4": binary, "audio/wav": binary},
            "headers": {
                "Server-Timing": {"description": "Milliseconds of each step.", **text},
                SEED_HEADER: {"description": "The seed that was used.", **text},
            },
        },
        202: {
            "description": "The job, which is queued or worked on.",
            "content": {
                "application/json": {
                    "schema": JobDocument.model_json_schema(
                        ref_template="#/components/schemas/{model}"
                    )
                }
            },
            "headers": {"Location": {"description": "Where the job is.", **text}},
        },
        **responses(400, 401, 404, 408, 413, 415, 422, 429, 500, 503, 507),
    }

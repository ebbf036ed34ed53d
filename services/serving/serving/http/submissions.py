"""`POST /v1/<route>`: a file goes in, a job comes out."""

import asyncio
import shutil
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError

from s2s.errors import UnsupportedMediaError
from s2s.media import PICTURE_TYPES, check_upload, run_sandboxed
from serving.http.answers.documents import JobDocument, job_document
from serving.http.answers.headers import SEED_HEADER
from serving.http.answers.problems import failure_answer, responses
from serving.http.answers.results import result_answer
from serving.http.fields import file_schema
from serving.http.form import FILE_FIELDS, Form, Pace, receive_form, too_large
from serving.http.queries import RequestName, Wait, wrong_numbers
from serving.http.service import Service, client_of, owner_of, service_of
from serving.jobs.job import Job, State
from serving.jobs.storage import UPLOAD_NAME
from serving.models.served import ServedModel
from serving.problems import Problem, invalid_fields, unknown_name

__all__ = ["submission_router"]

_MODEL_FIELD = "model"
_ALL_TYPES = "the API's list of models names every type"
_Models = Sequence[ServedModel]
_Endpoint = Callable[..., Coroutine[Any, Any, Response]]


def submission_router(models: _Models) -> APIRouter:
    """The route that makes jobs of the models of a task.

    Args:
        models: of one task; the first is used unless the form's field `model` names another.
    """
    task, offer = models[0].task, models[0].offer
    router = APIRouter(prefix="/v1", tags=[task])
    router.add_api_route(
        f"/{offer.route}",
        _endpoint(models),
        methods=["POST"],
        operation_id=f"make_{offer.route}",
        summary=offer.title,
        response_class=Response,
        status_code=202,
        responses=_responses(),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"multipart/form-data": {"schema": _form_schema(models)}},
            }
        },
    )
    return router


def _endpoint(models: _Models) -> _Endpoint:
    async def submit(
        request: Request,
        service: Annotated[Service, Depends(service_of)],
        owner: Annotated[str, Depends(owner_of)],
        wait: Wait = 0.0,
        idempotency_key: RequestName = None,
    ) -> Response:
        """Queue a job; with `wait`, answer with its result if that is ready in time."""
        service.check_ready([model.name for model in models])
        job = await _admitted(request, service, models, owner, idempotency_key)
        done = await _finished(service, job, wait)
        return await _answer(request, service, done, wants_result=wait > 0)

    return submit


async def _admitted(
    request: Request, service: Service, models: _Models, owner: str, name: str | None
) -> Job:
    """The job of a request that there is room for."""
    job_id, client = service.store.new_id(), client_of(request, owner)
    is_sent_again = service.store.of_request(owner, name) is not None
    if not is_sent_again:
        service.rate_limit.check(client)
    service.check_room(client, is_sent_again=is_sent_again)
    service.arriving.add(job_id)
    service.clients[job_id] = client
    try:
        return await _receive(request, service, models, owner, job_id)
    finally:
        service.arriving.discard(job_id)


async def _answer(
    request: Request, service: Service, job: Job | None, *, wants_result: bool
) -> Response:
    """What a job made or why it failed, for who waits for that; else how far it is."""
    if job is None:
        raise Problem(404, "no-such-job", "It was removed while it was worked on.")
    if wants_result and job.state is State.DONE:
        answer = await result_answer(request, job, service.runner.bucket)
    elif wants_result and job.state is State.FAILED:
        answer = failure_answer(job)
    else:
        document = job_document(job, service.task_of(job), service.store.position(job.id))
        answer = JSONResponse(document.model_dump(mode="json", exclude_none=True), 202)
    answer.headers["Location"] = f"/v1/jobs/{job.id}"
    return answer


async def _receive(
    request: Request, service: Service, models: _Models, owner: str, job_id: str
) -> Job:
    """Take an upload in, check it, and queue a job for it, unless the same request has come."""
    limits = service.limits
    name = request.headers.get("idempotency-key")
    folder = service.runner.folder_of(job_id)
    upload = folder / UPLOAD_NAME
    folder.mkdir()
    try:
        started = time.monotonic()
        most = max(limits.of_model(model)[0] for model in models)
        pace = Pace(limits.idle_s, limits.min_upload_rate_hz)
        form = await receive_form(request, upload, most, pace, _file_fields(models))
        seconds = {"upload": time.monotonic() - started}
        job = service.store.of_request(owner, name)
        if job is None:
            fields, checked_s = await _checked(service, models, form, folder)
            fields |= {"owner": owner, "digest": form.digest}
            job = service.store.add(job_id, fields, seconds | {"check": checked_s}, name)
        is_other = job.route != models[0].offer.route
        if is_other or service.store.digest_of_request(owner, name) not in {"", form.digest}:
            raise _other_request()
    except BaseException:
        await _remove(folder)
        raise
    if job.id == job_id:
        service.runner.enqueue(job)
    else:  # the same request has come before
        await _remove(folder)
    return job


async def _checked(
    service: Service, models: _Models, form: Form, folder: Path
) -> tuple[dict[str, Any], float]:
    """A job's fields, made of a form that the model can work on; and how long that took."""
    started = time.monotonic()
    model, wrong = _chosen(models, form.fields)
    options, wrong_options = _parse_options(models, form.fields)
    known = models[0].offer.options.model_fields
    if model is None:
        raise invalid_fields([*wrong, *wrong_options], known)
    service.check_ready([model.name])
    max_bytes, media = service.limits.of_model(model)
    if form.size > max_bytes:
        raise too_large(max_bytes)
    if options is None:
        raise invalid_fields(wrong_options, known)
    check = partial(run_sandboxed, folder=folder)
    upload, types = folder / UPLOAD_NAME, model.offer.types
    try:
        kind = await to_thread.run_sync(
            check, check_upload, upload, form.file_name, media, types, limiter=service.checking
        )
    except UnsupportedMediaError as error:
        told = error.plain_message.removesuffix(".")
        raise UnsupportedMediaError(f"{told}; {_ALL_TYPES}.") from error
    fields = {
        "route": model.offer.route,
        "model": model.name,
        "file_name": form.file_name,
        "kind": kind,
        "options": options.model_dump(mode="json"),
    }
    return fields, time.monotonic() - started


def _chosen(
    models: _Models, fields: dict[str, str]
) -> tuple[ServedModel | None, Sequence[Mapping[str, Any]]]:
    """The model that a form names, whose field is taken out of it; else the first; or why none."""
    name = fields.pop(_MODEL_FIELD, models[0].name)
    for model in models:
        if model.name == name:
            return model, ()
    names = ", ".join(model.name for model in models)
    detail = f"there is no model of that name here, use {names}"
    return None, [{"loc": (_MODEL_FIELD,), "msg": detail}]


def _unknown_fields(models: _Models, fields: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Fields that the form does not have, with what was probably meant."""
    known = [*models[0].offer.options.model_fields, *_file_fields(models), _MODEL_FIELD]
    return [
        {"loc": (name,), "msg": unknown_name("field", name, known)}
        for name in fields
        if name not in known
    ]


def _other_request() -> Problem:
    return Problem(
        422,
        "other-request",
        "This Idempotency-Key was used for another file, other fields or another task. Send "
        "this one with a name of its own.",
    )


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


def _parse_options(
    models: _Models, fields: Mapping[str, str]
) -> tuple[BaseModel | None, Sequence[Any]]:
    """What a form asks for, or all that is wrong with it."""
    options = models[0].offer.options
    wrong: list[Any] = _unknown_fields(models, fields)
    wrong += wrong_numbers(options.model_json_schema().get("properties", {}), fields)
    told = {item["loc"][0] for item in wrong}
    try:
        parsed = options.model_validate({k: v for k, v in fields.items() if k not in told})
    except ValidationError as error:
        # What is wrong with several together may come from one that was left out here.
        return None, [*wrong, *(item for item in error.errors() if item["loc"] or not wrong)]
    return (None if wrong else parsed), wrong


def _form_schema(models: _Models) -> dict[str, Any]:
    offer = models[0].offer
    schema = offer.options.model_json_schema()
    names = [model.name for model in models]
    chosen = {_MODEL_FIELD: {"enum": names, "default": names[0]}} if len(names) > 1 else {}
    properties = schema.get("properties", {})
    files = {name: file_schema(name, offer.types) for name in _file_fields(models)}
    schema["properties"] = {**files, **chosen, **properties}
    return schema | {"oneOf": [{"required": [name]} for name in files]}


def _file_fields(models: _Models) -> list[str]:
    takes_pictures = not set(PICTURE_TYPES).isdisjoint(models[0].offer.types)
    return [name for name in FILE_FIELDS if takes_pictures or name != "picture"]


def _responses() -> dict[int | str, dict[str, Any]]:
    text = {"schema": {"type": "string"}}
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {
        200: {
            "description": "The result, when it is ready within `wait` seconds.",
            "content": {
                "video/mp4": binary,
                "audio/wav": binary,
                "application/json": {"schema": {"type": "object"}},
            },
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
        **responses(400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503, 507),
    }

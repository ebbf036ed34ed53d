"""`/v1/jobs/{id}`: how far a job is, what happens to it, what it made."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import StreamingResponse

from serving.http.answers.documents import FileDocument, JobDocument, file_documents, job_document
from serving.http.answers.problems import failure_answer, responses
from serving.http.answers.results import file_answer, result_answer
from serving.http.service import Service, owner_of, service_of
from serving.jobs.job import Job, State
from serving.problems import Problem

__all__ = ["router"]

_HEARTBEAT_S = 15.0
_MOST_DIGITS = 18  # always fits SQLite's 64-bit integers
_BINARY: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
    for status, description in ((200, "The file."), (206, "The part that was asked for."))
}
_BINARY[304] = {"description": "It is the one that If-None-Match names."}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The events.", "content": {"text/event-stream": {"schema": {}}}}
}

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=responses(401, 404, 422))
_Service = Annotated[Service, Depends(service_of)]


def _job(job_id: str, service: _Service, owner: Annotated[str, Depends(owner_of)]) -> Job:
    return service.job(job_id, owner)


def _done_job(job: Annotated[Job, Depends(_job)]) -> Job:
    if job.state not in {State.DONE, State.FAILED}:
        detail = f"It is {job.state}. Wait for the event 'done', or ask again in a second."
        raise Problem(409, "not-done", detail, headers={"Retry-After": "1"})
    return job


_Job = Annotated[Job, Depends(_job)]
_DoneJob = Annotated[Job, Depends(_done_job)]


@router.get("/{job_id}", response_model_exclude_none=True)
async def read_job(job: _Job, service: _Service) -> JobDocument:
    """How far the job is."""
    return job_document(job, service.task_of(job), service.store.position(job.id))


@router.get("/{job_id}/events", response_class=StreamingResponse, responses=_EVENTS)
async def read_events(
    request: Request, job: _Job, service: _Service, last_event_id: Annotated[str, Header()] = ""
) -> Response:
    """What happens to the job, as server-sent events; after Last-Event-ID, where that is sent.

    `progress` comes again and again, `done` or `failed` at the end.
    """
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    if request.method == "HEAD":
        return Response(headers=headers, media_type="text/event-stream")
    events = _events(service, job, _number(last_event_id))
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


@router.get(
    "/{job_id}/result", response_class=Response, responses=_BINARY | responses(409, 412, 416, 503)
)
async def read_result(request: Request, job: _DoneJob, service: _Service) -> Response:
    """The first file that the job made, or its document; a part, where `Range` asks for one."""
    if job.state is State.FAILED:
        return failure_answer(job)
    return await result_answer(request, job, service.runner.bucket)


@router.get("/{job_id}/files", responses=responses(409))
async def read_files(job: _DoneJob) -> list[FileDocument]:
    """The files that the job made, the most wanted first."""
    return file_documents(job)


@router.get(
    "/{job_id}/files/{name}",
    response_class=Response,
    responses=_BINARY | responses(409, 412, 416, 503),
)
async def read_file(request: Request, name: str, job: _DoneJob, service: _Service) -> Response:
    """One of the files that the job made; a part of it, where `Range` asks for one."""
    if job.state is State.FAILED:
        return failure_answer(job)
    file = job.result.file(name) if job.result else None
    if file is None:
        names = ", ".join(found.name for found in file_documents(job)) or "none"
        raise Problem(404, "no-such-file", f"The job has no file of that name. It has: {names}.")
    return await file_answer(request, job, file, service.runner.bucket)


@router.delete("/{job_id}", status_code=204, response_class=Response, responses=responses(403, 412))
async def remove_job(request: Request, job: _Job, service: _Service) -> None:
    """Forget the job and its files; one that is queued or worked on ends."""
    if request.headers.get("if-match", "*").strip() != "*":  # a job has no tag that could be meant
        raise Problem(412, "condition", "A job has no ETag. Ask again without If-Match.")
    service.runner.remove(job)


def _number(text: str) -> int:
    """The number of an event; 0 for what is none, the largest for more digits than there are."""
    if not (text.isascii() and text.isdecimal()):
        return 0
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


async def _events(service: Service, job: Job, after: int) -> AsyncIterator[str]:
    while True:
        current = service.store.get(job.id)
        for event in service.store.events(job.id, after):
            after = event.number
            yield f"id: {event.number}\nevent: {event.name}\ndata: {json.dumps(event.data)}\n\n"
        if current is None or current.state.is_final:
            return
        await service.runner.wait_for_change(job.id, _HEARTBEAT_S)
        yield ":\n\n"  # a sign of life

"""`/v1/jobs/{id}`: how far a job is, what happens to it, what it made."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import StreamingResponse

from serving.http.documents import JobDocument, job_document
from serving.http.problems import Problem, responses
from serving.http.results import result_answer
from serving.http.service import Service, owner_of, service_of
from serving.http.submissions import failure_answer
from serving.jobs.store import Job, State

__all__ = ["router"]

_HEARTBEAT_S = 15.0
_LARGEST_NUMBER = 2**63 - 1

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=responses(401, 404))
_Service = Annotated[Service, Depends(service_of)]


def _job(job_id: str, service: _Service, owner: Annotated[str, Depends(owner_of)]) -> Job:
    return service.job(job_id, owner)


_Job = Annotated[Job, Depends(_job)]


@router.get("/{job_id}", response_model_exclude_none=True)
async def read_job(job: _Job, service: _Service) -> JobDocument:
    """How far the job is."""
    return job_document(job, service.store.position(job.id))


@router.get("/{job_id}/events", response_class=StreamingResponse)
async def read_events(
    job: _Job, service: _Service, last_event_id: Annotated[str, Header()] = ""
) -> StreamingResponse:
    """What happens to the job, as server-sent events; after Last-Event-ID, where that is sent.

    `progress` comes again and again, `done` or `failed` at the end.
    """
    after = int(last_event_id) if last_event_id.isdecimal() else 0
    return StreamingResponse(
        _events(service, job, min(after, _LARGEST_NUMBER)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


@router.api_route("/{job_id}/result", methods=["GET"], responses=responses(409, 416))
@router.api_route("/{job_id}/result", methods=["HEAD"], include_in_schema=False)
async def read_result(request: Request, job: _Job, service: _Service) -> Response:
    """What the job made; a part of it, where `Range` asks for one."""
    if job.state is State.FAILED:
        return failure_answer(job)
    if job.state is not State.DONE:
        detail = f"It is {job.state}. Wait for the event 'done', or ask again in a second."
        raise Problem(409, "not-done", detail, headers={"Retry-After": "1"})
    return await result_answer(request, job, service.runner.bucket)


@router.delete("/{job_id}", status_code=204)
async def remove_job(job: _Job, service: _Service) -> None:
    """Forget the job and its result; one that is queued or worked on ends."""
    service.runner.remove(job)


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

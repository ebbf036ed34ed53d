"""Jobs as clients see them."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from serving.jobs.store import Job, State

__all__ = ["JobDocument", "Links", "ResultDocument", "job_document"]


class Links(BaseModel):
    """Where the rest of a job is."""

    self: str
    events: str
    result: str


class ResultDocument(BaseModel):
    """What a job made."""

    media_type: str
    size: int
    file_name: str


class JobDocument(BaseModel):
    """A job.

    Attributes:
        id: its name.
        task: the route that made it.
        state: queued, running, done or failed.
        progress: 0 to 1.
        queue_position: jobs that come before it while it is queued.
        created_at: when it was made.
        expires_at: when it is removed, once it is finished.
        options: what was chosen.
        seconds_by_step: time that each step took, once it is done.
        result: what it made, once it is done.
        problem: why it failed, a problem document.
        links: where the rest is.
    """

    id: str
    task: str
    state: State
    progress: float
    queue_position: int | None = None
    created_at: datetime
    expires_at: datetime | None = None
    options: dict[str, Any]
    seconds_by_step: dict[str, float]
    result: ResultDocument | None = None
    problem: dict[str, Any] | None = None
    links: Links


def job_document(job: Job, queue_position: int) -> JobDocument:
    """A job as clients see it."""
    url, result = f"/v1/jobs/{job.id}", job.result
    return JobDocument(
        id=job.id,
        task=job.route,
        state=job.state,
        progress=job.progress,
        queue_position=queue_position if job.state is State.QUEUED else None,
        created_at=datetime.fromtimestamp(job.created_s, UTC),
        expires_at=None if job.expires_s is None else datetime.fromtimestamp(job.expires_s, UTC),
        options=job.options,
        seconds_by_step={step: round(seconds, 4) for step, seconds in job.seconds.items()},
        result=None
        if result is None
        else ResultDocument(
            media_type=result.media_type, size=result.size, file_name=result.file_name
        ),
        problem=job.problem,
        links=Links(self=url, events=f"{url}/events", result=f"{url}/result"),
    )

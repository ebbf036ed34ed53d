"""Jobs as clients see them."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from serving.jobs.job import Job, State, StoredFile

__all__ = ["FileDocument", "JobDocument", "Links", "file_documents", "job_document"]


class Links(BaseModel):
    """Where the rest of a job is."""

    self: str
    events: str
    result: str
    files: str


class ResultDocument(BaseModel):
    """The first of the files that a job made."""

    media_type: str
    size: int
    file_name: str


class FileDocument(BaseModel):
    """A file that a job made.

    Attributes:
        name: names it among the job's files.
        url: where it is.
        media_type: what it is.
        bytes: its size.
        file_name: a name for people, made of the upload's.
    """

    name: str
    url: str
    media_type: str
    bytes: int
    file_name: str


class JobDocument(BaseModel):
    """A job.

    Attributes:
        id: its name.
        task: what the model has learned.
        model: the model that does it, one of `/v1/models`.
        state: queued, running, done or failed.
        progress: 0 to 1.
        queue_position: jobs of the same model that come before it while it is queued.
        created_at: when it was made.
        expires_at: when it is removed, once it is finished.
        options: what was chosen.
        seconds_by_step: time that each step took, once it is done.
        files: what it made, once it is done, the most wanted first; there may be none.
        document: what there is to say of the result, once it is done.
        result: the first file, where there is one; the link `result` leads to it.
        problem: why it failed, a problem document.
        links: where the rest is.
    """

    id: str
    task: str
    model: str
    state: State
    progress: float
    queue_position: int | None = None
    created_at: datetime
    expires_at: datetime | None = None
    options: dict[str, Any]
    seconds_by_step: dict[str, float]
    files: list[FileDocument] | None = None
    document: dict[str, Any] | None = None
    result: ResultDocument | None = None
    problem: dict[str, Any] | None = None
    links: Links


def job_document(job: Job, task: str, queue_position: int) -> JobDocument:
    """A job as clients see it."""
    url, result = f"/v1/jobs/{job.id}", job.result
    first = result.files[0] if result is not None and result.files else None
    return JobDocument(
        id=job.id,
        task=task,
        model=job.model,
        state=job.state,
        progress=job.progress,
        queue_position=queue_position if job.state is State.QUEUED else None,
        created_at=datetime.fromtimestamp(job.created_s, UTC),
        expires_at=None if job.expires_s is None else datetime.fromtimestamp(job.expires_s, UTC),
        options=job.options,
        seconds_by_step={step: round(seconds, 4) for step, seconds in job.seconds.items()},
        files=None if result is None else file_documents(job),
        document=None if result is None else result.document,
        result=None
        if first is None
        else ResultDocument(
            media_type=first.media_type, size=first.size, file_name=first.file_name
        ),
        problem=job.problem,
        links=Links(self=url, events=f"{url}/events", result=f"{url}/result", files=f"{url}/files"),
    )


def file_documents(job: Job) -> list[FileDocument]:
    """The files of a job that is done."""
    return [_file_document(job, file) for file in (job.result.files if job.result else ())]


def _file_document(job: Job, file: StoredFile) -> FileDocument:
    return FileDocument(
        name=file.name,
        url=f"/v1/jobs/{job.id}/files/{file.name}",
        media_type=file.media_type,
        bytes=file.size,
        file_name=file.file_name,
    )

"""A job, its result, and what happens to it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

__all__ = ["Event", "Job", "Result", "State", "StoredFile"]


class State(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens."""
        return self in {State.DONE, State.FAILED}


@dataclass(frozen=True)
class StoredFile:
    """A file of a result.

    Attributes:
        name: names it among the result's files.
        key: the object in the bucket.
        size: its bytes.
        crc32c: its checksum.
        media_type: what it is.
        file_name: a name for people.
    """

    name: str
    key: str
    size: int
    crc32c: str
    media_type: str
    file_name: str


@dataclass(frozen=True)
class Result:
    """What a job made.

    Attributes:
        files: the most wanted first; there may be none.
        document: what there is to say of it, as JSON.
    """

    files: tuple[StoredFile, ...]
    document: dict[str, Any]

    def file(self, name: str) -> StoredFile | None:
        """One of the files."""
        return next((file for file in self.files if file.name == name), None)


@dataclass(frozen=True)
class Job:
    """A piece of work that a client asked for.

    Attributes:
        id: 128 random bits: a client that knows it may read the job.
        route: that it was made by.
        model: that does it.
        server: that has its upload; empty where only one has the jobs.
        owner: name of the key that it was asked with; empty where none is needed.
        file_name: the client's name for its file; not to be trusted.
        kind: what the file is.
        options: what the client chose.
        state: where it is.
        progress: 0 to 1.
        attempts: how often it was begun.
        created_s: when it was made, in seconds since 1970.
        expires_s: when it is removed with its result; None until it is finished.
        seconds: time that each step took.
        result: what it made, when it is done.
        problem: why it failed, a problem document.
    """

    id: str
    route: str
    model: str
    server: str
    owner: str
    file_name: str
    kind: Literal["video", "picture"]
    options: dict[str, Any]
    state: State
    progress: float
    attempts: int
    created_s: float
    expires_s: float | None
    seconds: dict[str, float]
    result: Result | None
    problem: dict[str, Any] | None


@dataclass(frozen=True)
class Event:
    """Something that happened to a job; `number` grows with time."""

    number: int
    name: str
    data: dict[str, Any]

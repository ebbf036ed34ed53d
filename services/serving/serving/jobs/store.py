"""Jobs on disk: they survive the process, whatever ends it."""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

__all__ = ["Event", "Job", "JobStore", "Result", "State"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    route TEXT NOT NULL,
    owner TEXT NOT NULL,
    file_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    options TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued',
    progress REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    created_s REAL NOT NULL,
    expires_s REAL,
    seconds TEXT NOT NULL,
    result TEXT,
    problem TEXT
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, number);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_job ON events (job, number);
CREATE TABLE IF NOT EXISTS requests (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    PRIMARY KEY (owner, name)
);
CREATE INDEX IF NOT EXISTS requests_by_job ON requests (job);
"""


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
class Result:
    """What a job made.

    Attributes:
        key: the object in the bucket.
        size: its bytes.
        crc32c: its checksum.
        media_type: what it is.
        file_name: a name for people.
    """

    key: str
    size: int
    crc32c: str
    media_type: str
    file_name: str


@dataclass(frozen=True)
class Job:
    """A piece of work that a client asked for.

    Attributes:
        id: 128 random bits: who knows it may read the job.
        route: of the model that does it.
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


class JobStore:
    """Jobs and what happened to them, in SQLite. To be used by one thread of one process.

    Every change is a transaction in a write-ahead log: a process that is killed loses none that
    it has told a client of.

    Args:
        path: the database; made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.row_factory = sqlite3.Row
        self._database.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
        )
        self._database.executescript(_SCHEMA)

    @staticmethod
    def new_id() -> str:
        """A job's name that nobody guesses."""
        return secrets.token_hex(16)

    def add(
        self,
        job_id: str,
        fields: Mapping[str, Any],
        seconds: Mapping[str, float],
        request: str | None = None,
    ) -> Job:
        """Queue a job, unless its request was sent before.

        Args:
            job_id: made by `new_id`.
            fields: `route`, `owner`, `file_name`, `kind` and `options` of `Job`.
            seconds: time of steps that were taken already.
            request: the client's name for its request.

        Returns:
            the job, or the one that was made of the owner's request of this name.
        """
        values = dict(fields) | {"options": json.dumps(fields["options"])}
        with self._transaction():
            if earlier := self.of_request(fields["owner"], request):
                return earlier
            self._database.execute(
                "INSERT INTO jobs (id, route, owner, file_name, kind, options, created_s, seconds)"
                " VALUES (:id, :route, :owner, :file_name, :kind, :options, :created_s, :seconds)",
                values
                | {"id": job_id, "created_s": time.time(), "seconds": json.dumps(dict(seconds))},
            )
            if request is not None:
                self._database.execute(
                    "INSERT INTO requests VALUES (?, ?, ?)", [fields["owner"], request, job_id]
                )
            return self._told(job_id)

    def of_request(self, owner: str, request: str | None) -> Job | None:
        """The job that was made of somebody's request of this name, if there is one."""
        found = self._database.execute(
            "SELECT job FROM requests WHERE owner = ? AND name = ?", [owner, request]
        ).fetchone()
        return None if found is None else self.get(found["job"])

    def get(self, job_id: str) -> Job | None:
        """A job, if there is one."""
        row = self._database.execute("SELECT * FROM jobs WHERE id = ?", [job_id]).fetchone()
        return None if row is None else _job_of(row)

    def position(self, job_id: str) -> int:
        """How many queued jobs come before this one."""
        (count,) = self._database.execute(
            "SELECT COUNT(*) FROM jobs WHERE state = 'queued'"
            " AND number < (SELECT number FROM jobs WHERE id = ?)",
            [job_id],
        ).fetchone()
        return count

    def begin(self, job_id: str) -> Job | None:
        """Note that a queued job is begun; None if it was removed."""
        return self._change(job_id, "state = 'running', attempts = attempts + 1")

    def proceed(self, job_id: str, progress: float) -> Job | None:
        """Note how far a job is; one that is done again stays where it was until it is there."""
        return self._change(job_id, "progress = MAX(progress, ?)", progress)

    def finish(
        self, job_id: str, result: Result, seconds: Mapping[str, float], expires_s: float
    ) -> Job | None:
        """Note what a job made; None if it was removed meanwhile."""
        return self._change(
            job_id,
            "state = 'done', progress = 1, result = ?, seconds = ?, expires_s = ?",
            json.dumps(vars(result)),
            json.dumps(dict(seconds)),
            expires_s,
        )

    def fail(self, job_id: str, problem: Mapping[str, Any], expires_s: float) -> Job | None:
        """Note why a job failed; None if it was removed meanwhile."""
        values = (json.dumps(dict(problem)), expires_s)
        return self._change(job_id, "state = 'failed', problem = ?, expires_s = ?", *values)

    def remove(self, job_id: str) -> None:
        """Forget a job."""
        self._database.execute("DELETE FROM jobs WHERE id = ?", [job_id])

    def events(self, job_id: str, after: int = 0) -> list[Event]:
        """What happened to a job after an event, oldest first."""
        rows = self._database.execute(
            "SELECT * FROM events WHERE job = ? AND number > ? ORDER BY number", [job_id, after]
        )
        return [Event(row["number"], row["name"], json.loads(row["data"])) for row in rows]

    def recover(self) -> list[Job]:
        """Queue again what was running when the last process ended.

        Returns:
            the jobs to be done, oldest first.
        """
        self._database.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
        rows = self._database.execute("SELECT * FROM jobs WHERE state = 'queued' ORDER BY number")
        return [_job_of(row) for row in rows]

    def expired(self, now_s: float) -> list[Job]:
        """Jobs to be removed."""
        rows = self._database.execute("SELECT * FROM jobs WHERE expires_s < ?", [now_s])
        return [_job_of(row) for row in rows]

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _change(self, job_id: str, change: str, *values: object) -> Job | None:
        with self._transaction():
            changed = self._database.execute(
                f"UPDATE jobs SET {change} WHERE id = ?",  # noqa: S608 - ours, see above
                [*values, job_id],
            )
            return self._told(job_id) if changed.rowcount else None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _told(self, job_id: str) -> Job:
        """Note the job's state as an event."""
        job = self.get(job_id)
        assert job is not None  # noqa: S101 - it was changed just now
        data = json.dumps({"state": job.state, "progress": job.progress})
        self._database.execute(
            "INSERT INTO events (job, name, data) VALUES (?, ?, ?)",
            [job_id, job.state if job.state.is_final else "progress", data],
        )
        return job


def _job_of(row: sqlite3.Row) -> Job:
    fields = {name: row[name] for name in row.keys() if name != "number"}  # noqa: SIM118 - no mapping
    for name in ("options", "seconds", "result", "problem"):
        fields[name] = None if fields[name] is None else json.loads(fields[name])
    result = None if fields["result"] is None else Result(**fields["result"])
    return Job(**fields | {"state": State(fields["state"]), "result": result})

"""Jobs in a database: they survive the process, whatever ends it."""

import json
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from serving.jobs.database import Database
from serving.jobs.job import Event, Job, Result, State, StoredFile
from serving.jobs.sqlite import SQLiteDatabase

__all__ = ["JobStore"]


class JobStore:
    """Jobs and what happened to them. To be used by one thread of a process.

    Every change is a transaction: a process that is killed loses none that it has told a client
    of. Several servers may share a database: each works on the jobs whose uploads it has, and
    tells of all.

    Args:
        database: of this server alone, or shared.
        server: this server's name among those that share; the same when it starts again.
    """

    def __init__(self, database: Database, server: str = "") -> None:
        self.database = database
        self.server = server

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """Jobs of one server, in a file of a folder."""
        return cls(SQLiteDatabase(folder / "jobs.sqlite3"))

    @classmethod
    def shared(cls, url: str, folder: Path) -> Self:
        """Jobs that servers share, in PostgreSQL.

        Args:
            url: `postgresql://USER:PASSWORD@HOST/NAME`.
            folder: this server's own; it keeps the server's name.

        Raises:
            StageError: if there is no such database, or no way to it.
        """
        from serving.jobs.postgres import PostgresDatabase  # noqa: PLC0415 - few servers have it

        path = folder / "server.name"
        if not path.exists():
            path.write_text(secrets.token_hex(8))
        return cls(PostgresDatabase(url), path.read_text())

    @property
    def is_shared(self) -> bool:
        """Whether other servers use the database, too."""
        return bool(self.server)

    @staticmethod
    def new_id() -> str:
        """Make a job's id, which cannot be guessed."""
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
            fields: `route`, `model`, `owner`, `file_name`, `kind` and `options` of `Job`; and
                `digest`, which tells requests of one name apart.
            seconds: time of steps that were taken already.
            request: the client's name for its request.

        Returns:
            the job, or the one that was made of the owner's request of this name.
        """
        with self.database.transaction():
            if earlier := self.of_request(fields["owner"], request):
                return earlier
            self.database.execute(
                "INSERT INTO jobs (id, server, route, model, owner, file_name, kind, options,"
                " created_s, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    job_id,
                    self.server,
                    fields["route"],
                    fields.get("model", ""),
                    fields["owner"],
                    fields["file_name"],
                    fields["kind"],
                    json.dumps(fields["options"]),
                    time.time(),
                    json.dumps(dict(seconds)),
                ],
            )
            if request is not None:
                self.database.execute(
                    "INSERT INTO requests (owner, name, job, digest) VALUES (?, ?, ?, ?)",
                    [fields["owner"], request, job_id, fields.get("digest", "")],
                )
            return self._told(job_id)

    def of_request(self, owner: str, request: str | None) -> Job | None:
        """The job that was made of somebody's request of this name, if there is one."""
        found = self.database.execute(
            "SELECT job FROM requests WHERE owner = ? AND name = ?", [owner, request]
        ).fetchone()
        return None if found is None else self.get(found["job"])

    def digest_of_request(self, owner: str, request: str | None) -> str:
        """What somebody's request of this name was, where that is known."""
        found = self.database.execute(
            "SELECT digest FROM requests WHERE owner = ? AND name = ?", [owner, request]
        ).fetchone()
        return "" if found is None else found["digest"]

    def get(self, job_id: str) -> Job | None:
        """A job, if there is one."""
        row = self.database.execute("SELECT * FROM jobs WHERE id = ?", [job_id]).fetchone()
        return None if row is None else _job_of(row)

    def position(self, job_id: str) -> int:
        """How many queued jobs of the same model, on the same server, come before this one."""
        row = self.database.execute(
            "SELECT COUNT(*) AS ahead FROM jobs JOIN jobs AS mine USING (route, model, server)"
            " WHERE jobs.state = 'queued' AND jobs.number < mine.number AND mine.id = ?",
            [job_id],
        ).fetchone()
        return row["ahead"]

    def begin(self, job_id: str) -> Job | None:
        """Note that a queued job is begun; None if it was removed."""
        return self._change(job_id, "state = 'running', attempts = attempts + 1")

    def proceed(self, job_id: str, progress: float) -> Job | None:
        """Note how far a job is; one that is done again stays where it was until it is there."""
        change = "progress = CASE WHEN progress > ? THEN progress ELSE ? END"
        return self._change(job_id, change, progress, progress)

    def finish(
        self, job_id: str, result: Result, seconds: Mapping[str, float], expires_s: float
    ) -> Job | None:
        """Note what a job made; None if it was removed meanwhile."""
        return self._change(
            job_id,
            "state = 'done', progress = 1, result = ?, seconds = ?, expires_s = ?",
            json.dumps(asdict(result)),
            json.dumps(dict(seconds)),
            expires_s,
        )

    def fail(self, job_id: str, problem: Mapping[str, Any], expires_s: float) -> Job | None:
        """Note why a job failed; None if it was removed meanwhile."""
        values = (json.dumps(dict(problem)), expires_s)
        return self._change(job_id, "state = 'failed', problem = ?, expires_s = ?", *values)

    def remove(self, job_id: str) -> None:
        """Forget a job; its files are to be deleted."""
        with self.database.transaction():
            job = self.get(job_id)
            if job is not None and job.result is not None:
                self._note_deletions([file.key for file in job.result.files])
            self.database.execute("DELETE FROM jobs WHERE id = ?", [job_id])

    def discard(self, keys: Iterable[str]) -> None:
        """Note objects that are to be deleted."""
        with self.database.transaction():
            self._note_deletions(keys)

    def deletions(self) -> list[str]:
        """Objects that are to be deleted, and were not yet."""
        return [row["key"] for row in self.database.execute("SELECT key FROM deletions")]

    def deleted(self, key: str) -> None:
        """Note that an object was deleted."""
        self.database.execute("DELETE FROM deletions WHERE key = ?", [key])

    def events(self, job_id: str, after: int = 0) -> list[Event]:
        """What happened to a job after an event, oldest first."""
        rows = self.database.execute(
            "SELECT * FROM events WHERE job = ? AND number > ? ORDER BY number", [job_id, after]
        )
        return [Event(row["number"], row["name"], json.loads(row["data"])) for row in rows]

    def recover(self) -> list[Job]:
        """Queue again what this server was working on when its last process ended.

        Returns:
            the jobs that it has to do, oldest first.
        """
        self.database.execute(
            "UPDATE jobs SET state = 'queued' WHERE state = 'running' AND server = ?",
            [self.server],
        )
        rows = self.database.execute(
            "SELECT * FROM jobs WHERE state = 'queued' AND server = ? ORDER BY number",
            [self.server],
        )
        return [_job_of(row) for row in rows]

    def live(self, now_s: float) -> None:
        """Note that this server is there."""
        self.database.execute(
            "INSERT INTO servers (id, seen_s) VALUES (?, ?)"
            " ON CONFLICT (id) DO UPDATE SET seen_s = excluded.seen_s",
            [self.server, now_s],
        )

    def orphans(self, since_s: float) -> list[Job]:
        """Unfinished jobs of servers that nothing was heard of since then: nobody does them."""
        rows = self.database.execute(
            "SELECT jobs.* FROM jobs LEFT JOIN servers ON servers.id = jobs.server"
            " WHERE jobs.state IN ('queued', 'running')"
            " AND COALESCE(servers.seen_s, jobs.created_s) < ?",
            [since_s],
        )
        return [_job_of(row) for row in rows]

    def forget_servers(self, since_s: float) -> None:
        """Forget servers that nothing was heard of since then and that left nothing unfinished.

        A new replica has a new name, so that their rows would only ever become more.
        """
        self.database.execute(
            "DELETE FROM servers WHERE seen_s < ? AND NOT EXISTS (SELECT 1 FROM jobs"
            " WHERE jobs.server = servers.id AND jobs.state IN ('queued', 'running'))",
            [since_s],
        )

    def servers(self) -> list[str]:
        """Names of the servers that are known, in order."""
        return [row["id"] for row in self.database.execute("SELECT id FROM servers ORDER BY id")]

    def expired(self, now_s: float) -> list[Job]:
        """Jobs to be removed."""
        rows = self.database.execute("SELECT * FROM jobs WHERE expires_s < ?", [now_s])
        return [_job_of(row) for row in rows]

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def _note_deletions(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.database.execute(
                "INSERT INTO deletions (key) VALUES (?) ON CONFLICT DO NOTHING", [key]
            )

    def _change(self, job_id: str, change: str, *values: object) -> Job | None:
        """Change a job that is not finished."""
        with self.database.transaction():
            changed = self.database.execute(
                f"UPDATE jobs SET {change}"  # noqa: S608 - ours, see above
                " WHERE id = ? AND state IN ('queued', 'running')",
                [*values, job_id],
            )
            return self._told(job_id) if changed.rowcount else None

    def _told(self, job_id: str) -> Job:
        """Note the job's state as an event."""
        job = self.get(job_id)
        assert job is not None  # noqa: S101 - it was changed just now
        data = json.dumps({"state": job.state, "progress": job.progress})
        self.database.execute(
            "INSERT INTO events (job, name, data) VALUES (?, ?, ?)",
            [job_id, job.state if job.state.is_final else "progress", data],
        )
        return job


def _job_of(row: Mapping[str, Any]) -> Job:
    fields = dict(row)
    del fields["number"]
    for name in ("options", "seconds", "result", "problem"):
        fields[name] = None if fields[name] is None else json.loads(fields[name])
    result = None
    if fields["result"] is not None:
        files = tuple(StoredFile(**file) for file in fields["result"]["files"])
        result = Result(files, fields["result"]["document"])
    return Job(**fields | {"state": State(fields["state"]), "result": result})

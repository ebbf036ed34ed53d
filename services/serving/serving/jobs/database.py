"""What the job store needs of a database, so that SQLite and PostgreSQL are the same to it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

__all__ = ["Database", "DatabaseUnavailableError", "Rows", "tables"]

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    number {number},
    id TEXT NOT NULL UNIQUE,
    route TEXT NOT NULL,
    model TEXT NOT NULL DEFAULT '',
    server TEXT NOT NULL DEFAULT '',
    owner TEXT NOT NULL,
    file_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    options TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued',
    progress DOUBLE PRECISION NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    created_s DOUBLE PRECISION NOT NULL,
    expires_s DOUBLE PRECISION,
    seconds TEXT NOT NULL,
    result TEXT,
    problem TEXT
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, number);
CREATE TABLE IF NOT EXISTS events (
    number {number},
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_job ON events (job, number);
CREATE TABLE IF NOT EXISTS requests (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    digest TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (owner, name)
);
CREATE INDEX IF NOT EXISTS requests_by_job ON requests (job);
CREATE TABLE IF NOT EXISTS deletions (key TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS servers (id TEXT PRIMARY KEY, seen_s DOUBLE PRECISION NOT NULL);
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ended_sessions (
    signature TEXT PRIMARY KEY,
    until_s DOUBLE PRECISION NOT NULL
);
"""


class DatabaseUnavailableError(Exception):
    """The database does not answer, or has answered that it cannot now."""


class Rows(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int: ...  # noqa: D102 - rows that were changed

    def fetchone(self) -> Any: ...  # noqa: D102 - the next row, by its columns' names, or None

    def __iter__(self) -> Iterator[Mapping[str, Any]]: ...


class Database(Protocol):
    """Tables `jobs`, `events`, `requests`, `deletions`, `servers`, `secrets`, `ended_sessions`.

    Statements are those that SQLite and PostgreSQL both know, with a question mark for a value.
    """

    def execute(self, statement: str, values: Sequence[object] = ()) -> Rows:
        """Run a statement, by itself or as part of a transaction.

        Raises:
            DatabaseUnavailableError: if the database cannot be reached.
            sqlite3.Error: if a file cannot be read or written.
        """
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """A context: all of its statements hold, or none; no other one runs meanwhile."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def tables(number: str) -> str:
    """Statements that make the tables where they are missing, apart by semicolons.

    Args:
        number: how the database writes a key that counts up by itself.
    """
    return _TABLES.format(number=number)

"""What the job store needs of a database, so that SQLite and PostgreSQL are the same to it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

__all__ = ["Database", "DatabaseUnavailableError", "Rows"]


class DatabaseUnavailableError(Exception):
    """The database does not answer, or has answered that it cannot now."""


class Rows(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int: ...  # noqa: D102 - rows that were changed

    def fetchone(self) -> Any: ...  # noqa: D102 - the next row, by its columns' names, or None

    def __iter__(self) -> Iterator[Mapping[str, Any]]: ...


class Database(Protocol):
    """Tables `jobs`, `events`, `requests`, `deletions`, `servers`, and `secrets`.

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

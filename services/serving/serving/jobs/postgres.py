"""Jobs in PostgreSQL, which several servers share."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from s2s.errors import StageError
from serving.jobs.database import DatabaseUnavailableError, tables

__all__ = ["PostgresDatabase"]

_LOCK = 0x5325
"""Of transactions, among PostgreSQL's advisory locks."""
_CONNECT_S, _STATEMENT_S, _PAUSE_S = 3, 5, 2.0
_NUMBER = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"


class PostgresDatabase:
    """Jobs that servers share: `serving.jobs.database.Database`.

    A connection that was lost is made again; while there is none, every statement fails at once
    but for one try in two seconds.

    Args:
        url: `postgresql://USER:PASSWORD@HOST/NAME`, or another form that libpq knows.

    Raises:
        StageError: if there is no such database, or no way to it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._retry_s = 0.0
        self._is_inside = False
        try:
            parts = conninfo_to_dict(url)
        except psycopg.Error as error:
            raise StageError(
                "--jobs: no address of a database: use postgresql://USER:PASSWORD@HOST/NAME"
            ) from error
        self._name = f"{parts.get('host', 'localhost')}/{parts.get('dbname', '')}"
        try:
            with self.transaction():
                self.execute(tables(_NUMBER))
        except (DatabaseUnavailableError, psycopg.Error) as error:
            raise StageError(
                f"--jobs: the database {self._name} cannot be used: {error}: check the address, "
                "the password, and whether the user may make tables"
            ) from error

    def execute(self, statement: str, values: Sequence[object] = ()) -> psycopg.Cursor[Any]:
        """Run a statement, once more where the connection was lost between two of them."""
        text = statement.replace("?", "%s")

        def run() -> psycopg.Cursor[Any]:
            return self._connected().execute(text, values or None)  # type: ignore[arg-type] - ours

        return self._tried(run)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of its statements hold, or none; only one runs at a time, of all servers'.

        So events are seen in the order of their numbers, and a request that two servers get makes
        one job.
        """
        self._tried(lambda: self._connected().execute("BEGIN"))
        self._is_inside = True
        try:
            self.execute("SELECT pg_advisory_xact_lock(?)", [_LOCK])
            yield
            self.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._is_inside = False

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _tried(self, run: Callable[[], psycopg.Cursor[Any]]) -> psycopg.Cursor[Any]:
        was_connected = self._connection is not None
        try:
            return run()
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._forget()
            if self._is_inside or not was_connected:
                raise DatabaseUnavailableError(f"{self._name}: {_line(error)}") from error
        return self._tried(run)

    def _connected(self) -> psycopg.Connection[dict[str, Any]]:
        if self._connection is None:
            if time.monotonic() < self._retry_s:
                raise DatabaseUnavailableError(f"{self._name}: does not answer")
            self._retry_s = time.monotonic() + _PAUSE_S
            self._connection = psycopg.Connection[dict[str, Any]].connect(
                self._url,
                autocommit=True,
                row_factory=dict_row,  # type: ignore[arg-type] - pyright takes it for one of tuples
                prepare_threshold=None,  # poolers do not know prepared statements
                connect_timeout=_CONNECT_S,
                options=f"-c statement_timeout={_STATEMENT_S}s",
            )
            self._retry_s = 0.0
        return self._connection

    def _roll_back(self) -> None:
        """Undo; a lost connection has done so by itself."""
        if self._connection is None:
            return
        try:
            self._connection.execute("ROLLBACK")
        except psycopg.Error:
            self._forget()

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _line(error: Exception) -> str:
    """The first line of what PostgreSQL says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]

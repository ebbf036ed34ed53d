"""Jobs in a file: SQLite, and what becomes of tables that earlier servers have left."""

import json
import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from serving.jobs.database import tables

__all__ = ["SQLiteDatabase"]

log = logging.getLogger(__name__)

_VERSION = 2
_NUMBER = "INTEGER PRIMARY KEY AUTOINCREMENT"


class SQLiteDatabase:
    """Jobs in a file, for one process: `serving.jobs.database.Database`.

    Every transaction is in a write-ahead log: a process that is killed loses none.

    Args:
        path: the file; made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._connection = _open(path)

    def execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run a statement."""
        return self._connection.execute(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of its statements hold, or none."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    """Open the database, made when it is missing, with the tables of today.

    One of an earlier version is taken over. One that is damaged, or of a later version, is put
    aside under another name, and the log says so.
    """
    try:
        return _opened(path)
    except _UnknownVersionError as error:
        why = str(error)
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # such as a full disk: nothing is damaged
            raise
        why = f"it cannot be read ({error})"
    _put_aside(path, why)
    return _opened(path)


class _UnknownVersionError(Exception):
    """Tables of a later version."""


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.row_factory = sqlite3.Row
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise _UnknownVersionError(f"its tables are of version {version}, not {_VERSION}")
        database.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
        )
        if version < _VERSION:
            _take_over(database)
    except BaseException:
        database.close()
        raise
    return database


def _take_over(database: sqlite3.Connection) -> None:
    """From version 1, in which jobs had no server, and 0, in which results were one file."""
    database.execute("BEGIN IMMEDIATE")
    try:
        _add_column(database, "jobs", "model")
        _add_column(database, "jobs", "server")
        _add_column(database, "requests", "digest")
        for statement in tables(_NUMBER).split(";"):
            database.execute(statement)
        rows = database.execute("SELECT id, result FROM jobs WHERE result IS NOT NULL").fetchall()
        for row in rows:
            result = json.loads(row["result"])
            if "files" not in result:
                result = {"files": [{"name": "result", **result}], "document": {}}
            values = [json.dumps(result), row["id"]]
            database.execute("UPDATE jobs SET result = ? WHERE id = ?", values)
        database.execute(f"PRAGMA user_version = {_VERSION}")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _add_column(database: sqlite3.Connection, table: str, column: str) -> None:
    """Add a text to a table that is there and has it not."""
    names = {row["name"] for row in database.execute(f"PRAGMA table_info({table})")}
    if names and column not in names:
        database.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")


def _put_aside(path: Path, why: str) -> None:
    stamp = time.strftime("%Y%m%dT%H%M%S")
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.replace(path.with_name(f"{path.name}.{stamp}.aside{suffix}"))
    log.warning(
        "%s: %s: it is kept as %s.%s.aside, and a new one made", path, why, path.name, stamp
    )

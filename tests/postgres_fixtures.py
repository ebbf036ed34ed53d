"""A PostgreSQL server for tests: Debian's, with its data in a temporary folder."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

USER = "postgres"


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """The folder of a running server's socket."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("no PostgreSQL: install Debian's package postgresql")
    program = programs[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="s2s-postgres-"))  # a socket's path must be short
    # It does not run as root.
    options = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    if options:
        shutil.chown(folder, USER, USER)

    def run(*command: object) -> None:
        subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
            **options,
        )

    try:
        run(program / "initdb", "-D", folder / "data", "-U", USER, "-A", "trust", "--no-sync")
        settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        log = folder / "log"
        run(program / "pg_ctl", "-D", folder / "data", "-l", log, "-o", settings, "-w", "start")
        yield folder
        run(program / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_folder: Path) -> str:
    """The address of an empty database."""
    import psycopg  # noqa: PLC0415 - only where a server is

    name = f"jobs_{secrets.token_hex(4)}"
    with psycopg.connect(f"host={postgres_folder} user={USER}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return f"postgresql:///{name}?host={postgres_folder}&user={USER}"

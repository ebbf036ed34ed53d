"""`python -m serving serve` as a process."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

RECIPE = "name: test\ncollection: {catalog: test.csv}\n"


class ServerProcess:
    """The server, ready, with its log in a file."""

    def __init__(self, folder: Path, *models: Path, **environment: str) -> None:
        recipe = folder / "recipe.yaml"
        recipe.write_text(RECIPE)
        command = [sys.executable, "-m", "serving", "serve", str(recipe)]
        command += [part for model in models for part in ("--model", str(model))]
        command += ["--port", "0", "--work-dir", str(folder / "work")]
        command += ["--bucket", f"file://{folder}/bucket"]
        self.uploads = folder / "work" / "serving" / "uploads"
        self.log = folder / f"log{time.monotonic_ns()}.txt"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stderr=log, env=os.environ | {"COLUMNS": "300"} | environment
            )
        self.url = self._url()
        # While it imports torch, it may answer nothing for longer than a client usually waits.
        while httpx.get(f"{self.url}/readyz", timeout=None).status_code != httpx.codes.OK:
            time.sleep(0.05)

    def _url(self) -> str:
        while True:
            if match := re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text()):
                return match[0]
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)


@contextmanager
def server(folder: Path, *models: Path, **environment: str) -> Iterator[ServerProcess]:
    """A server that is killed in the end, unless it has ended."""
    running = ServerProcess(folder, *models, **environment)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()

"""A run that is interrupted or killed is finished by the next one, and nothing is done twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import Launch

from s2s.media import run_ffmpeg

N_SOURCES = 30
RECIPE = """\
name: interrupted
spec: {duration_s: 1}
collection: {catalog: c.csv, workers: 1, fetch: whole}
"""


class SlowSite(ThreadingHTTPServer):
    """Serves one video under every name, slowly until it is told to hurry."""

    def __init__(self, video: bytes) -> None:
        super().__init__(("127.0.0.1", 0), partial(SlowHandler, self))
        self.video = video
        self.hurry = threading.Event()

    @property
    def source_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{{source_id}}.mp4"


class SlowHandler(BaseHTTPRequestHandler):
    def __init__(self, site: SlowSite, *args: Any) -> None:
        self.site = site
        super().__init__(*args)

    def do_GET(self) -> None:
        self.site.hurry.wait(0.3)
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(self.site.video)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.site.video)

    do_HEAD = do_GET

    def log_message(self, *_args: object, **_kwargs: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SlowSite]:
    video = tmp_path / "video.mp4"
    run_ffmpeg(["-f", "lavfi", "-i", "testsrc=s=64x64:d=1", str(video)], "video")
    server = SlowSite(video.read_bytes())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recipe and its catalog."""
    rows = [f"source-{n:02d},0,thing,train\n" for n in range(N_SOURCES)]
    (tmp_path / "c.csv").write_text("".join(rows))
    (tmp_path / "interrupted.yaml").write_text(RECIPE)
    return tmp_path


def stored(folder: Path) -> dict[str, int]:
    raw = folder / ".s2s" / "bucket" / "raw_data"
    return {path.name: path.stat().st_mtime_ns for path in raw.glob("*.mp4")}


@pytest.fixture(autouse=True)
def _interrupts_are_heard() -> Iterator[None]:
    """A shell's background job ignores Ctrl-C, and so would what it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("name", "stop"),
    [("collection", signal.SIGINT), ("run", signal.SIGTERM), ("collection", signal.SIGKILL)],
)
def test_the_next_run_finishes(
    folder: Path, site: SlowSite, launch: Launch, name: str, stop: signal.Signals
):
    command = [sys.executable, "-m", "launcher", name, "interrupted.yaml"]
    environment = {"S2S_SOURCE_URL": site.source_url}
    first = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while len(stored(folder)) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(first.pid, stop)
    errors = first.communicate(timeout=60)[1]
    before = stored(folder)
    assert 3 <= len(before) < N_SOURCES, errors
    if stop is signal.SIGKILL:
        assert first.returncode == -stop
    else:
        assert first.returncode == 128 + stop, errors
        assert "interrupted: what is stored stays; run again to go on" in errors
        assert "preprocessing: Cut clips" not in errors

    site.hurry.set()
    again = launch("collection", "interrupted.yaml", **environment)
    assert again.returncode == 0, again.stderr
    after = stored(folder)
    assert len(after) == N_SOURCES
    assert {name: after[name] for name in before} == before
    assert f"{len(before)} already_done" in again.stderr
    leftovers = [path for path in (folder / ".s2s" / "tmp").rglob("*") if path.is_file()]
    assert leftovers == []

"""Ctrl-C in a terminal: the first finishes jobs and says so, the second ends the server at once."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

SERVER = """
import sys
import time
from pathlib import Path

from s2s.cli import guarded
from serving.cli import _say_finishing
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from tone import TonePredictor, tone_model

folder = Path(sys.argv[1])


class Waiting(TonePredictor):
    def predict(self, batch):
        while not (folder / "gate").exists():
            time.sleep(0.01)
        return super().predict(batch)


def work():
    app = create_app([tone_model("tone", Waiting)], Limits(2_000_000, 5.0), folder / "work")
    told = lambda url, names: print(f"Serving at {url}.", file=sys.stderr)
    Server(app, on_loaded=told, on_finishing=_say_finishing).run()
    return 0


if __name__ == "__main__":
    sys.exit(guarded(work))
"""


def until(check: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    while not check():
        assert process.poll() is None
        time.sleep(0.01)


def start(folder: Path, name: str) -> tuple[subprocess.Popen[bytes], Path, str]:
    """A server of a model that waits for the file "gate"; its log and address."""
    (folder / "server.py").write_text(SERVER)
    log = folder / name
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(folder / "server.py"), str(folder)],
            stderr=output,
            env=os.environ | {"COLUMNS": "300", "PYTHONPATH": paths},
            start_new_session=True,
        )
    found = re.compile(r"Serving at (\S+)\.\n")
    until(lambda: found.search(log.read_text()), process)
    return process, log, found.findall(log.read_text())[0]


def test_the_first_finishes_jobs_and_the_second_stops_at_once(silent_video: Path, tmp_path: Path):
    process, log, url = start(tmp_path, "first.txt")
    try:
        sent = {"video": ("clip.mp4", silent_video.read_bytes())}
        answer = httpx.post(f"{url}/v1/generations", files=sent, timeout=60)
        assert answer.status_code == 202, answer.text
        job = answer.headers["location"]
        until(lambda: httpx.get(url + job).json()["progress"] >= 0.4, process)  # the model's turn
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        until(lambda: "Finishing 1 job, up to 60 s; Ctrl-C once more" in log.read_text(), process)
        assert httpx.get(f"{url}/readyz").status_code == 503
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait() == 130
        said = log.read_text()
        assert said.endswith("Stopped: what was not finished goes on at the next start\n")
        assert said.count("Finishing") == 1
        assert "Traceback" not in said
    finally:
        process.kill()
        process.wait()
    (tmp_path / "gate").touch()
    process, log, url = start(tmp_path, "second.txt")
    try:
        until(lambda: httpx.get(url + job).json()["state"] == "done", process)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait() == 0
        assert "Stopped" not in log.read_text()
    finally:
        process.kill()
        process.wait()

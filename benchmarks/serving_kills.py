"""The real server killed, or told to stop, under load, again and again: is a job lost or doubled?

    python benchmarks/serving_kills.py kill MODEL_DIRECTORY CLIP --connections 32 --times 10
    python benchmarks/serving_kills.py stop MODEL_DIRECTORY CLIP --connections 32 --times 10

Each connection sends the clip with a seed of its own, asks again with the same Idempotency-Key
until it is told of a job, follows that, reads the result, and goes on with the next. Meanwhile the
server is ended at random moments with SIGKILL or SIGTERM, and started again. With SIGTERM, nothing
that was accepted may be unfinished when the process ends. Prints one JSON object.
"""

import argparse
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from threading import Event, Semaphore

import httpx

RECIPE = "name: kills\ncollection: {catalog: none.csv}\n"
ASK_AGAIN_S, PATIENCE_S = 0.5, 300.0


class Site:
    """A server at one address that is ended and started again.

    Args:
        folder: its work directory, bucket and log are in it.
        model: the model directory.
    """

    def __init__(self, folder: Path, model: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._model = model
        (folder / "recipe.yaml").write_text(RECIPE)
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        folder = self._folder
        command = [sys.executable, "-m", "serving", "serve", str(folder / "recipe.yaml")]
        command += ["--model", str(self._model), "--port", str(self.port)]
        command += ["--work-dir", str(folder), "--bucket", f"file://{folder}/bucket"]
        with (folder / "log.txt").open("ab") as log:
            return subprocess.Popen(command, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"})

    def end(self, number: int) -> None:
        """Send a signal, and wait for the end."""
        self._process.send_signal(number)
        self._check(self._process.wait(PATIENCE_S))

    def restart(self) -> None:
        """Start it again."""
        self._process = self._start()

    def wait(self) -> None:
        """Until it is ready."""
        while True:
            self._check(self._process.poll() or 0)
            try:
                if httpx.get(f"{self.url}/readyz", timeout=60).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)

    def _check(self, status: int) -> None:
        if status not in {0, -signal.SIGKILL}:
            sys.exit(f"status {status}: {(self._folder / 'log.txt').read_text()[-2000:]}")

    def read(self, what: str) -> int:
        """A number from the store, while no server runs."""
        with closing(sqlite3.connect(self._folder / "serving" / "jobs.sqlite3")) as store:
            return store.execute(f"SELECT {what}").fetchone()[0]

    def stored(self) -> int:
        """Results in the bucket."""
        bucket = self._folder / "bucket" / "serving"
        return sum(path.is_file() for path in bucket.rglob("*"))


class Client:
    """One connection.

    Args:
        url: the server's.
        clip: what is sent.

    Attributes:
        seen: what came of its requests.
    """

    def __init__(self, url: str, clip: Path) -> None:
        self.seen: Counter[str] = Counter()
        self._http = httpx.Client(base_url=url, timeout=60)
        self._clip = clip.read_bytes()

    def do(self, number: int) -> None:
        """Have one job done, whatever happens to the server."""
        location = self._until(202, lambda: self._send(number)).headers["location"]
        while (job := self._until(200, lambda: self._http.get(location)).json())["state"] != "done":
            if job["state"] == "failed":
                self.seen["failed"] += 1
                return
            time.sleep(ASK_AGAIN_S)
        result = self._until(200, lambda: self._http.get(f"{location}/result"))
        is_right = result.headers["x-s2s-seed"] == str(number) and len(result.content) > 0
        self.seen["right" if is_right else "wrong"] += 1

    def _send(self, number: int) -> httpx.Response:
        return self._http.post(
            "/v1/generations",
            files={"video": ("clip.mp4", self._clip)},
            data={"seed": str(number), "steps": "2"},
            headers={"Idempotency-Key": f"job-of-kills-{number:06}"},
        )

    def _until(self, status: int, ask: Callable[[], httpx.Response]) -> httpx.Response:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                answer = ask()
            except httpx.TransportError:
                self.seen["broken connections"] += 1
            else:
                if answer.status_code == status:
                    return answer
                self.seen[f"status {answer.status_code}"] += 1
                if answer.status_code not in {429, 503}:
                    raise RuntimeError(answer.text)
            time.sleep(ASK_AGAIN_S)
        raise TimeoutError(f"no answer with status {status} for {PATIENCE_S:.0f} s")


def end_again_and_again(site: Site, number: int, times: int, done: Semaphore) -> int:
    """End the server at random moments while it is asked; jobs that it left when told to stop.

    Each time when a few more jobs are done, so that others are worked on.
    """
    dice, left = random.Random(0), 0
    for _ in range(times):
        site.wait()
        for _ in range(dice.randint(1, 16)):
            done.acquire(timeout=PATIENCE_S)
        time.sleep(dice.uniform(0.0, 0.5))
        site.end(number)
        if number == signal.SIGTERM:
            left += site.read("COUNT(*) FROM jobs WHERE state IN ('queued', 'running')")
        site.restart()
    return left


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("how", choices=["kill", "stop"])
    parser.add_argument("model", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--times", type=int, default=10)
    return parser.parse_args()


def main() -> None:
    """Run it."""
    options = read_options()
    with tempfile.TemporaryDirectory() as folder:
        site, numbers = Site(Path(folder), options.model), count()
        done, is_over = Semaphore(0), Event()

        def connection() -> Counter[str]:
            client = Client(site.url, options.clip)
            while not is_over.is_set():
                client.do(next(numbers))
                done.release()
            return client.seen

        started = time.monotonic()
        with ThreadPoolExecutor(options.connections) as threads:
            connections = [threads.submit(connection) for _ in range(options.connections)]
            try:
                number = {"kill": signal.SIGKILL, "stop": signal.SIGTERM}[options.how]
                left = end_again_and_again(site, number, options.times, done)
            finally:
                is_over.set()
            seen = sum((each.result() for each in connections), Counter[str]())
        site.end(signal.SIGTERM)
        asked, jobs = next(numbers), site.read("COUNT(*) FROM jobs")
        finished = site.read("COUNT(*) FROM events WHERE name = 'done'")
        report = {
            "ended": options.times,
            "connections": options.connections,
            "jobs": asked,
            "lost": asked - seen["right"],
            "doubled": max(jobs, finished, site.stored()) - asked,
            "left_when_told_to_stop": left,
            "uploads_left": len(list((Path(folder) / "serving" / "uploads").iterdir())),
            "most_attempts": site.read("MAX(attempts) FROM jobs"),
            "seconds": round(time.monotonic() - started, 1),
            "seen": seen,
        }
    print(json.dumps(report))


if __name__ == "__main__":
    main()

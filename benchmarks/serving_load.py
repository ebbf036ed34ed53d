"""The real server, as a process, under load: how fast, how much, and does its memory grow.

    python benchmarks/serving_load.py latency MODEL_DIRECTORY CLIP --repeats 10
    python benchmarks/serving_load.py load MODEL_DIRECTORY CLIP --connections 8 --repeats 40
    python benchmarks/serving_load.py memory MODEL_DIRECTORY CLIP --repeats 200

`latency` sends one clip after another and waits for each; `load` sends from several connections at
a time; `memory` sends uploads of 100 MB, and compares the server's resident memory after the first
ten with that at the end. Prints one JSON object.
"""

import argparse
import json
import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

LARGE_BYTES = 100_000_000
RECIPE = "name: load\ntask: {task}\ncollection: {{catalog: none.csv}}\n"
_TIMING = re.compile(r"([\w-]+);dur=([\d.]+)")


@contextmanager
def server(model: Path, task: str = "generation") -> Iterator[tuple[str, psutil.Process]]:
    """`python -m serving serve` and its address, once it is ready."""
    with tempfile.TemporaryDirectory() as folder:
        recipe, log = Path(folder) / "recipe.yaml", Path(folder) / "log.txt"
        recipe.write_text(RECIPE.format(task=task))
        command = [sys.executable, "-m", "serving", "serve", str(recipe), "--model", str(model)]
        command += ["--port", "0", "--work-dir", folder, "--bucket", f"file://{folder}/bucket"]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "300"}
        with log.open("wb") as output:
            process = subprocess.Popen(command, stderr=output, env=environment)
        try:
            while not (match := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
                if process.poll() is not None:
                    sys.exit(log.read_text())
                time.sleep(0.05)
            while not httpx.get(f"{match[0]}/readyz", timeout=None).is_success:
                time.sleep(0.05)
            yield match[0], psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()


def ask(url: str, clip: Path) -> tuple[float, int, dict[str, float]]:
    """Seconds from upload to the whole answer, its status, and its steps in seconds."""
    started = time.monotonic()
    with clip.open("rb") as file:
        answer = httpx.post(
            f"{url}/v1/generations?wait=600", files={"video": ("clip.mp4", file)}, timeout=700
        )
    steps = _TIMING.findall(answer.headers.get("server-timing", ""))
    seconds = {step: float(value) / 1000 for step, value in steps}
    return time.monotonic() - started, answer.status_code, seconds


def padded(clip: Path, folder: Path) -> Path:
    """The clip with an empty box behind it that makes it large."""
    path, missing = folder / "large.mp4", LARGE_BYTES - clip.stat().st_size
    with path.open("wb") as file:
        file.write(clip.read_bytes() + struct.pack(">I4s", missing, b"free"))
        file.truncate(LARGE_BYTES)
    return path


def cpu_s(process: psutil.Process) -> float:
    """Of the process and what it has waited for."""
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["latency", "load", "memory"])
    parser.add_argument("model", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--connections", type=int, default=1)
    options = parser.parse_args()
    with server(options.model) as (url, process), tempfile.TemporaryDirectory() as folder:
        clip = padded(options.clip, Path(folder)) if options.what == "memory" else options.clip
        ask(url, clip)  # the first starts the sandbox
        before, started, resident = cpu_s(process), time.monotonic(), []
        with ThreadPoolExecutor(options.connections) as threads:
            answers = []
            for answer in threads.map(lambda _: ask(url, clip), range(options.repeats)):
                answers.append(answer)
                resident.append(process.memory_info().rss)
        took_s = time.monotonic() - started
        seconds = sorted(answer[0] for answer in answers)
        steps = {
            step: round(statistics.median(answer[2].get(step, 0.0) for answer in answers), 3)
            for step in answers[0][2]
        }
        report = {
            "statuses": Counter(str(answer[1]) for answer in answers),
            "per_second": round(len(answers) / took_s, 2),
            "median_s": round(statistics.median(seconds), 3),
            "worst_s": round(seconds[-1], 3),
            "server_cpu_s_per_request": round((cpu_s(process) - before) / len(answers), 3),
            "steps_median_s": steps,
            "resident_mb": [round(size / 1e6) for size in (resident[9:10] + resident[-1:])],
        }
        print(json.dumps(report))


if __name__ == "__main__":
    main()

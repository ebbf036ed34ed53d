"""The real server, as a process, attacked over loopback: does it answer, and what does that cost?

    python benchmarks/serving_attacks.py MODEL_DIRECTORY CLIP

One attack after another, each bounded in count and time: heads that do not end, large bodies of
JSON, requests that are never completed, uploads of pictures that cost much, foreign hosts and
origins, odd numbers in headers. Meanwhile `/healthz` is asked five times a second. Prints a JSON
object a line: the attack, the answers by status (`closed` where the connection ended without one),
seconds, the worst and median latency of `/healthz`, and the most memory of the server with all of
its processes beside what it had before.
"""

import argparse
import io
import json
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import psutil
from PIL import Image
from serving_load import server

PATIENCE_S, ASK_EVERY_S = 60.0, 0.2
HALF_REQUESTS, LONG_HEAD_BYTES, JSON_BYTES = 200, 32_000_000, 64_000_000
PIECE_BYTES, CHUNKED_BYTES = 1 << 16, 1 << 24
SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00\x00\x00"
Address = tuple[str, int]


class Watch:
    """Asks whether the server is alive, and how much memory it has, until it is stopped."""

    def __init__(self, url: str, process: psutil.Process) -> None:
        self.latencies_s: list[float] = []
        self.most_bytes = 0
        self._url = url
        self._process = process
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While something is done; its connection is open before, and its last question after."""
        with httpx.Client(base_url=self._url, timeout=PATIENCE_S) as self._http:
            self._look()
            self._thread.start()
            try:
                yield
            finally:
                self._is_over.set()
                self._thread.join()
                self._look()

    def _run(self) -> None:
        while not self._is_over.wait(ASK_EVERY_S):
            self._look()

    def _look(self) -> None:
        started = time.monotonic()
        self._http.get("/healthz").raise_for_status()
        self.latencies_s.append(time.monotonic() - started)
        self.most_bytes = max(self.most_bytes, memory_bytes(self._process))


def memory_bytes(process: psutil.Process) -> int:
    """Resident memory of a process and all that it has started; shared pages count once each."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # it has just ended
    return total


def status_of(connection: socket.socket) -> str:
    """The status of what comes back."""
    try:
        line = connection.recv(64)
    except (TimeoutError, OSError):
        return "closed"
    return line.split(b" ")[1].decode() if line.startswith(b"HTTP/") else "closed"


def send(address: Address, head: bytes, n_bytes: int = 0, what: bytes = b"a") -> str:
    """Send so much over one connection, as far as it is taken."""
    piece = what * (PIECE_BYTES // len(what))
    with socket.create_connection(address, PATIENCE_S) as connection:
        with suppress(OSError):  # it was refused on the way, and the answer is there
            connection.sendall(head)
            for _ in range(n_bytes // len(piece)):
                connection.sendall(piece)
        return status_of(connection)


def half_requests(address: Address) -> list[str]:
    """Requests of which the rest never comes."""
    open_ones = []
    try:
        for _ in range(HALF_REQUESTS):
            connection = socket.create_connection(address, PATIENCE_S)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            open_ones.append(connection)
        return [status_of(connection) for connection in open_ones]
    finally:
        for connection in open_ones:
            connection.close()


def noise(side: int) -> bytes:
    """A picture that is hard to encode."""
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "jpeg", quality=30)
    return file.getvalue()


def ask(url: str, data: bytes, name: str, **headers: str) -> str:
    """Send a file, and wait for what is made of it."""
    answer = httpx.post(
        f"{url}/v1/generations?wait=120",
        files={"video": (name, data)},
        data={"duration_s": "60", "steps": "1"} if name.endswith("jpg") else {"steps": "1"},
        headers=headers,
        timeout=150,
    )
    return str(answer.status_code)


def attacks(url: str, clip: bytes) -> dict[str, Callable[[], list[str]]]:
    """What is done, by its name."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 0)
    post = b"POST /v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    form = b"POST /v1/generations HTTP/1.1\r\nHost: localhost\r\n"
    form += b"Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n"
    sized = post + f"Content-Length: {JSON_BYTES}\r\n\r\n".encode()
    picture = noise(1000)

    def rest() -> list[str]:
        time.sleep(3)
        return []

    def at_once(n: int, data: bytes, name: str) -> list[str]:
        with ThreadPoolExecutor(n) as threads:
            return list(threads.map(lambda _: ask(url, data, name), range(n)))

    def get(**headers: str) -> str:
        return str(httpx.get(f"{url}/v1/jobs/none/events", headers=headers).status_code)

    return {
        "nothing, for 3 s": rest,
        "an endless header": lambda: [send(address, b"GET / HTTP/1.1\r\nA: ", LONG_HEAD_BYTES)],
        "a large body of JSON": lambda: [send(address, sized, JSON_BYTES)],
        "a body in chunks of a byte": lambda: [send(address, form, CHUNKED_BYTES, b"1\r\na\r\n")],
        "a chunk of empty lines": lambda: [
            send(address, form + b"%x\r\n" % CHUNKED_BYTES, CHUNKED_BYTES, b"\r\n")
        ],
        f"{HALF_REQUESTS} half requests": partial(half_requests, address),
        "a clip": lambda: at_once(1, clip, "clip.mp4"),
        f"a picture of {len(picture) / 1e6:.1f} MB for 60 s": lambda: at_once(1, picture, "a.jpg"),
        "six of them at once": lambda: at_once(6, picture, "a.jpg"),
        "a JPEG of a million scans": lambda: at_once(1, b"\xff\xd8" + 10**6 * SCAN, "a.jpg"),
        "another host": lambda: [ask(url, clip, "clip.mp4", Host="evil.example")],
        "another origin": lambda: [ask(url, clip, "clip.mp4", Origin="https://evil.example")],
        "5,000 digits": lambda: [
            get(**{"Last-Event-ID": "9" * 5000, "Range": "bytes=" + "9" * 5000})
        ],
    }


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("clip", type=Path)
    options = parser.parse_args()
    with server(options.model) as (url, process):
        ask(url, options.clip.read_bytes(), "clip.mp4")  # the first starts the sandbox
        for name, attack in attacks(url, options.clip.read_bytes()).items():
            watch, before = Watch(url, process), memory_bytes(process)
            started = time.monotonic()
            with watch.watching():
                answers = Counter(attack())
            report = {
                "attack": name,
                "answers": answers,
                "seconds": round(time.monotonic() - started, 1),
                "healthz_worst_s": round(max(watch.latencies_s), 3),
                "healthz_median_s": round(statistics.median(watch.latencies_s), 3),
                "memory_mb": [round(size / 1e6) for size in (before, watch.most_bytes)],
            }
            print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()

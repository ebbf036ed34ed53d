"""Our batcher against LitServe 0.2.19 and against no batches: the same model, in the same run.

    .venv/bin/uv pip install --target .s2s/litserve litserve==0.2.19 pyzmq --no-deps
    OMP_NUM_THREADS=1 python benchmarks/serving_litserve.py --seconds 6 --rounds 3

Each server is a process of its own, loaded by 32 and by 128 connections that ask again as soon as
they are answered; the servers take turns within every round. Two models, since what a batch saves
is up to the model: `gru` (four layers over 64 steps) is many small operations, and 32 inputs take
2.5 times as long as one; `mlp` (three layers of 1536) is few large ones, where 32 take 4.3 times as
long. `unbatched` is a FastAPI handler that calls the model, as its documentation has it; `guarded`
is ours behind all that stands before the API's routes: limits of connections and bodies, checks of
hosts and origins, headers, counts and a log line for each request.
Prints, for each, requests a second, the 99th percentile of latency, and the server's processor time
per request with all its processes.
"""

import argparse
import asyncio
import json
import logging
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import psutil
import uvicorn
import uvloop
from fastapi import FastAPI, Request

from serving.access.bodies import ShortBodies
from serving.access.connections import ConnectionLimits, limited_protocol
from serving.access.origins import KnownOrigins
from serving.http.answers.headers import SecurityHeaders
from serving.jobs.batcher import Batcher
from serving.observe.metrics import Metrics
from serving.observe.requests import Observer
from serving.observe.traces import NoTracer

ROOT = Path(__file__).resolve().parent.parent
LITSERVE = ROOT / ".s2s" / "litserve"
N_INPUTS, WIDTH, MAX_BATCH, WAIT_S = 64, 1536, 64, 0.005
SIDES, MODELS = ("ours", "guarded", "litserve", "unbatched"), ("gru", "mlp")
BODY = json.dumps({"input": [round(random.Random(0).random(), 3) for _ in range(N_INPUTS)]})


def make_model(kind: str) -> Callable[[Sequence[Sequence[float]]], list[list[float]]]:
    """The model: a batch of inputs in, a batch of ten scores out."""
    import torch  # noqa: PLC0415 - only the servers need it
    from torch import nn  # noqa: PLC0415

    torch.set_num_threads(1)
    torch.manual_seed(0)
    hidden = [nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU()) for _ in range(3)]
    mlp = nn.Sequential(nn.Linear(N_INPUTS, WIDTH), *hidden, nn.Linear(WIDTH, 10)).eval()
    gru, head = nn.GRU(1, 64, num_layers=4, batch_first=True).eval(), nn.Linear(64, 10)

    @torch.inference_mode()
    def predict(batch: Sequence[Sequence[float]]) -> list[list[float]]:
        inputs_BN = torch.tensor(batch)
        if kind == "mlp":
            return mlp(inputs_BN).tolist()
        return head(gru(inputs_BN[..., None])[0][:, -1]).tolist()

    predict([[0.0] * N_INPUTS])
    return predict


def make_ours(kind: str) -> FastAPI:
    """`serving.jobs.batcher` behind FastAPI."""

    class Model:
        def __init__(self) -> None:
            self.predict = make_model(kind)

    batcher = Batcher(Model, max_batch=MAX_BATCH, max_waiting=1024)
    batcher.loaded.result()
    app = FastAPI()

    @app.post("/predict")
    async def predict(request: Request) -> dict[str, list[float]]:
        return {"output": await batcher.predict((await request.json())["input"])}

    return app


def make_guarded(kind: str) -> FastAPI:
    """Ours, behind what `serving.http.app` puts before its routes."""
    app = make_ours(kind)
    app.add_middleware(ShortBodies, uploads=[], is_known=lambda _path: True)
    app.add_middleware(KnownOrigins, names=())
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Observer, metrics=Metrics(lambda: 0), tracer=NoTracer())
    logging.basicConfig(level=logging.INFO, stream=Path(os.devnull).open("w"))  # noqa: SIM115
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return app


def make_unbatched(kind: str) -> FastAPI:
    """A handler that calls the model."""
    app, predict_batch = FastAPI(), make_model(kind)

    @app.post("/predict")
    def predict(request: dict[str, list[float]]) -> dict[str, list[float]]:
        return {"output": predict_batch([request["input"]])[0]}

    return app


MAKERS = {"ours": make_ours, "guarded": make_guarded, "unbatched": make_unbatched}


class _Connection(asyncio.Protocol):
    """Asks again as soon as it is answered; bare, so that the servers have the processors."""

    REQUEST = (
        "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n{BODY}"
    ).encode()

    def __init__(self, until: float, latencies_s: list[float]) -> None:
        self.ended = asyncio.get_running_loop().create_future()
        self._until, self._latencies_s, self._answer = until, latencies_s, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        self._started = time.monotonic()
        self._transport.write(self.REQUEST)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, _, body = self._answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)\r\n", head + b"\r\n")
        if not length or len(body) < int(length[1]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.ended.set_exception(RuntimeError(head.decode()))
            return
        now, self._answer = time.monotonic(), b""
        self._latencies_s.append(now - self._started)
        if now < self._until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None) if exc is None else self.ended.set_exception(exc)


async def _load(port: int, connections: int, seconds: float) -> list[float]:
    latencies_s: list[float] = []
    until, loop = time.monotonic() + seconds, asyncio.get_running_loop()
    made = [
        await loop.create_connection(partial(_Connection, until, latencies_s), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.ended for _, connection in made))
    return latencies_s


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu_s(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(time.user + time.system for time in times)


def _measure(kind: str, side: str, connections: int, seconds: float) -> tuple[float, float, float]:
    """Requests a second, 99th percentile in ms, processor ms per request."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, __file__, "--models", kind, "--serve", side, "--port", str(port)]
    if side == "litserve":
        script = str(Path(__file__).with_name("litserve_server.py"))
        command = [sys.executable, script, kind, str(port)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(LITSERVE)}
    with subprocess.Popen(command, env=environment, start_new_session=True) as server:
        try:
            _wait(port, server)
            uvloop.run(_load(port, connections, 1.0))
            family = _family(psutil.Process(server.pid))
            before, started = _cpu_s(family), time.monotonic()
            latencies_s = uvloop.run(_load(port, connections, seconds))
            took_s, cpu_s = time.monotonic() - started, _cpu_s(family) - before
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # LitServe leaves children on SIGTERM
    p99_s = statistics.quantiles(latencies_s, n=100)[98]
    return len(latencies_s) / took_s, 1000 * p99_s, 1000 * cpu_s / len(latencies_s)


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    while True:
        if server.poll() is not None:
            sys.exit(f"the server ended with status {server.returncode}")
        try:
            uvloop.run(_load(port, 1, 0.01))
            return
        except OSError:
            time.sleep(0.2)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", choices=SIDES)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    options = parser.parse_args()
    if options.serve:
        is_guarded = options.serve == "guarded"
        uvicorn.run(
            MAKERS[options.serve](options.models[0]),
            port=options.port,
            http=limited_protocol(ConnectionLimits(max_per_address=512)) if is_guarded else "auto",
            log_level="warning",
            access_log=False,
        )
        return
    for kind in options.models:
        _compare(kind, options.rounds, options.seconds)


def _compare(kind: str, rounds: int, seconds: float) -> None:
    found: dict[tuple[int, str], list[tuple[float, float, float]]] = defaultdict(list)
    for _ in range(rounds):
        for connections in (32, 128):
            for side in SIDES:
                found[connections, side].append(_measure(kind, side, connections, seconds))
    print(f"{kind:12} connections requests/s  p99 ms  CPU ms/request   (medians of {rounds})")
    for (connections, side), runs in sorted(found.items()):
        rate, p99_ms, cpu_ms = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{side:12} {connections:11} {rate:10.0f} {p99_ms:7.1f} {cpu_ms:15.3f}")


if __name__ == "__main__":
    main()

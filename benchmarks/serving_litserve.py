"""Our batcher against LitServe 0.2.19 and against no batches: the same model, in the same run.

    .venv/bin/uv pip install --target .s2s/litserve litserve==0.2.19 pyzmq --no-deps
    OMP_NUM_THREADS=1 python benchmarks/serving_litserve.py --seconds 10 --rounds 3

Each server is a process of its own, loaded by 32 and by 128 connections that ask again as soon as
they are answered; the servers take turns within every round. The model is three layers of 1536: to
read its weights costs more than to compute with them, as with most models that are worth a batch.
Prints, for each, requests a second, the 99th percentile of latency, and the server's processor time
per request with all its processes.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
LITSERVE = ROOT / ".s2s" / "litserve"
N_INPUTS, WIDTH, MAX_BATCH, WAIT_S = 64, 1536, 32, 0.005
SIDES = ("ours", "litserve", "unbatched")
BODY = json.dumps({"input": [round(random.Random(0).random(), 3) for _ in range(N_INPUTS)]})


def make_model() -> Callable[[Sequence[Sequence[float]]], list[list[float]]]:
    """The model: a batch of inputs in, a batch of ten scores out."""
    import torch  # noqa: PLC0415 - only the servers need it
    from torch import nn  # noqa: PLC0415

    torch.set_num_threads(1)
    torch.manual_seed(0)
    hidden = [nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU()) for _ in range(3)]
    network = nn.Sequential(nn.Linear(N_INPUTS, WIDTH), *hidden, nn.Linear(WIDTH, 10)).eval()

    @torch.inference_mode()
    def predict(batch: Sequence[Sequence[float]]) -> list[list[float]]:
        return network(torch.tensor(batch)).tolist()

    predict([[0.0] * N_INPUTS])
    return predict


def serve_ours(port: int, max_batch: int) -> None:
    """`serving.batcher` behind FastAPI."""
    import uvicorn  # noqa: PLC0415
    from fastapi import FastAPI, Request  # noqa: PLC0415

    from serving.batcher import Batcher  # noqa: PLC0415

    class Model:
        def __init__(self) -> None:
            self.predict = make_model()

    batcher = Batcher(Model, max_batch=max_batch, max_waiting=1024)
    batcher.loaded.result()
    app = FastAPI()

    @app.post("/predict")
    async def predict(request: Request) -> dict[str, list[float]]:
        return {"output": await batcher.predict((await request.json())["input"])}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


async def _connection(port: int, until: float, latencies_s: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = (
        "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n{BODY}"
    ).encode()
    while time.monotonic() < until:
        started = time.monotonic()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        latencies_s.append(time.monotonic() - started)
    writer.close()


async def _load(port: int, connections: int, seconds: float) -> list[float]:
    latencies_s: list[float] = []
    until = time.monotonic() + seconds
    await asyncio.gather(*(_connection(port, until, latencies_s) for _ in range(connections)))
    return latencies_s


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu_s(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(time.user + time.system for time in times)


def _measure(side: str, connections: int, seconds: float) -> tuple[float, float, float]:
    """Requests a second, 99th percentile in ms, processor ms per request."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, __file__, "--serve", side, "--port", str(port)]
    if side == "litserve":
        command = [sys.executable, str(Path(__file__).with_name("litserve_server.py")), str(port)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(LITSERVE)}
    with subprocess.Popen(command, env=environment, start_new_session=True) as server:
        try:
            _wait(port, server)
            asyncio.run(_load(port, connections, 1.0))
            family = _family(psutil.Process(server.pid))
            before, started = _cpu_s(family), time.monotonic()
            latencies_s = asyncio.run(_load(port, connections, seconds))
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
            asyncio.run(_load(port, 1, 0.01))
            return
        except (OSError, asyncio.IncompleteReadError):
            time.sleep(0.2)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", choices=SIDES)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    options = parser.parse_args()
    if options.serve:
        serve_ours(options.port, MAX_BATCH if options.serve == "ours" else 1)
    else:
        _compare(options.sides, options.rounds, options.seconds)


def _compare(sides: Sequence[str], rounds: int, seconds: float) -> None:
    found: dict[tuple[int, str], list[tuple[float, float, float]]] = defaultdict(list)
    for _ in range(rounds):
        for connections in (32, 128):
            for side in sides:
                found[connections, side].append(_measure(side, connections, seconds))
    print(f"{'':12} connections requests/s  p99 ms  CPU ms/request   (medians of {rounds})")
    for (connections, side), runs in sorted(found.items()):
        rate, p99_ms, cpu_ms = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{side:12} {connections:11} {rate:10.0f} {p99_ms:7.1f} {cpu_ms:15.3f}")


if __name__ == "__main__":
    main()

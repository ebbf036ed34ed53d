"""Does jobs: reads their uploads, runs the model, stores what it made."""

import asyncio
import logging
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from s2s.errors import BucketUnavailableError
from s2s.layout import result_key
from s2s.storage import Bucket
from serving.batcher import Batcher, BatcherClosedError
from serving.metrics import Metrics
from serving.names import plain_stem
from serving.predictor import Made, ServedModel, Upload
from serving.problems import Problem, problem_of
from serving.store import Job, JobStore, Result
from serving.traces import Tracer

__all__ = ["UPLOAD_NAME", "Place", "Runner"]

log = logging.getLogger(__name__)

UPLOAD_NAME = "upload"
_MAX_ATTEMPTS = 3
_SWEEP_S = 60.0
_RETRY_S = 2.0
_PREPARED, _PREDICTED = 0.3, 0.8


@dataclass(frozen=True)
class Place:
    """Where jobs live.

    Attributes:
        folder: a folder of each job is made under it.
        bucket: results are stored there.
        keep_s: finished jobs are removed after this time.
    """

    folder: Path
    bucket: Bucket
    keep_s: float


class Runner:
    """Works on queued jobs, several at a time, so that the model gets batches.

    Args:
        models: by route.
        batchers: by route.
        store: the jobs; used in the event loop's thread only.
        place: where files and results are.
        metrics: told what happens.
        tracer: told how long it takes.
    """

    def __init__(
        self,
        models: Mapping[str, ServedModel],
        batchers: Mapping[str, Batcher],
        store: JobStore,
        place: Place,
        metrics: Metrics,
        tracer: Tracer,
    ) -> None:
        self._models = models
        self._batchers = batchers
        self._store = store
        self._place = place
        self._metrics = metrics
        self._tracer = tracer
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._changed: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="media")
        self._tasks: list[asyncio.Task[None]] = []
        self._unfinished: set[str] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def bucket(self) -> Bucket:
        """Where results are."""
        return self._place.bucket

    @property
    def n_unfinished(self) -> int:
        """Jobs that are queued or worked on."""
        return len(self._unfinished)

    def start(self) -> None:
        """Take up what an earlier process left, and begin to work."""
        jobs = self._store.recover()
        known = {job.id for job in jobs}
        for folder in self._place.folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder)
        for job in jobs:
            if job.attempts >= _MAX_ATTEMPTS or job.route not in self._models:
                self._fail(job.id, Problem(500, "internal", "The server ended while doing this."))
            else:
                self.enqueue(job.id)
        n_at_a_time = 2 * max(model.max_batch for model in self._models.values())
        self._tasks = [asyncio.create_task(self._work()) for _ in range(n_at_a_time)]
        self._tasks.append(asyncio.create_task(self._sweep()))

    def enqueue(self, job_id: str) -> None:
        """Have a job done that is in the store."""
        self._unfinished.add(job_id)
        self._idle.clear()
        self._queue.put_nowait(job_id)

    async def drain(self, timeout_s: float) -> None:
        """Wait until all jobs are done; what is not by then stays in the store."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), timeout_s)

    async def close(self) -> None:
        """Stop working; unfinished jobs stay in the store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def wait_for_change(self, job_id: str, timeout_s: float) -> None:
        """Wait until something happens to a job, at most so long."""
        changed = self._changed[job_id]
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), timeout_s)

    def remove(self, job: Job) -> None:
        """Forget a job and delete its result; work on it ends at the next step."""
        self._store.remove(job.id)
        self._tell(job.id)
        if job.result is not None:
            self._threads.submit(self._place.bucket.delete, job.result.key)

    def folder_of(self, job_id: str) -> Path:
        """The job's own folder."""
        return self._place.folder / job_id

    def _tell(self, job_id: str) -> None:
        """Wake up who waits for a change."""
        if changed := self._changed.pop(job_id, None):
            changed.set()

    async def _work(self) -> None:
        while True:
            job_id = await self._queue.get()
            job = self._store.begin(job_id)
            if job is not None:
                self._tell(job_id)
                await self._do(job)
            await asyncio.to_thread(shutil.rmtree, self.folder_of(job_id), ignore_errors=True)
            self._unfinished.discard(job_id)
            if not self._unfinished:
                self._idle.set()

    async def _do(self, job: Job) -> None:
        waited_s = time.time() - job.created_s
        seconds = job.seconds | {"wait": waited_s}
        with self._tracer.span("job", {"job.id": job.id, "job.route": job.route}):
            try:
                made = await self._make(job, seconds)
                result = await self._stored(job, made, seconds)
            except (BatcherClosedError, _RemovedError):
                return  # the server stops, and the job stays in the store; or nobody wants it
            except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
                self._fail(job.id, problem_of(error))
                return
        self._metrics.finished(job.route, seconds)
        expires_s = time.time() + self._place.keep_s
        if self._store.finish(job.id, result, seconds, expires_s) is None:
            await self._in_thread(self._place.bucket.delete, result.key)
        self._tell(job.id)

    async def _make(self, job: Job, seconds: dict[str, float]) -> Made:
        model, batcher = self._models[job.route], self._batchers[job.route]
        folder = self.folder_of(job.id)
        upload = Upload(folder / UPLOAD_NAME, job.kind, folder)
        options = model.options.model_validate(job.options)
        predictor = await asyncio.wrap_future(batcher.loaded)
        item = await self._in_thread(predictor.prepare, upload, options, seconds)
        self._proceed(job.id, _PREPARED)
        started = time.monotonic()
        output = await batcher.predict(item)
        seconds["model"] = time.monotonic() - started
        self._proceed(job.id, _PREDICTED)
        return await self._in_thread(predictor.finish, upload, options, output, seconds)

    async def _stored(self, job: Job, made: Made, seconds: dict[str, float]) -> Result:
        """Store a result; while the bucket does not answer, the job waits."""
        started, key = time.monotonic(), result_key(job.id)
        while True:
            try:
                info = await self._in_thread(
                    partial(self._place.bucket.upload, made.path, key, overwrite=True)
                )
                break
            except BucketUnavailableError as error:
                log.error("a result cannot be stored: %s", error)
                await asyncio.sleep(_RETRY_S)
        seconds["store"] = time.monotonic() - started
        name = f"{plain_stem(job.file_name)}{made.suffix}"
        return Result(key, info.size, info.crc32c, made.media_type, name)

    def _proceed(self, job_id: str, progress: float) -> None:
        if self._store.proceed(job_id, progress) is None:
            raise _RemovedError
        self._tell(job_id)

    def _fail(self, job_id: str, problem: Problem) -> None:
        document = problem.document.model_dump(exclude_none=True)
        job = self._store.fail(job_id, document, time.time() + self._place.keep_s)
        if job is not None:
            self._metrics.failed(job.route, problem.kind)
        self._tell(job_id)

    async def _in_thread(self, function: Callable[..., Any], *args: object) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *args)

    async def _sweep(self) -> None:
        """Remove what has expired, now and then."""
        while True:
            for job in self._store.expired(time.time()):
                self.remove(job)
            await asyncio.sleep(_SWEEP_S)


class _RemovedError(Exception):
    """The client has removed the job that is worked on."""

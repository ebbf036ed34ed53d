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
from serving.http.names import plain_stem
from serving.http.problems import Problem, problem_of
from serving.jobs.batcher import Batcher
from serving.jobs.store import Job, JobStore, Result
from serving.models.contract import Made, Notes, ServedModel, Upload
from serving.observe.metrics import Metrics
from serving.observe.traces import Tracer

__all__ = ["UPLOAD_NAME", "Place", "Runner"]

log = logging.getLogger(__name__)

UPLOAD_NAME = "upload"
_ATTEMPTS, _ATTEMPTS_ALONE = 3, 3
_SWEEP_S = 60.0
_RETRY_S = 2.0
# Which part of a job's progress each step of a predictor is.
_PREPARE, _PREDICT, _FINISH = (0.05, 0.4), (0.4, 0.7), (0.7, 0.95)


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
        jobs, suspects = self._store.recover(), []
        known = {job.id for job in jobs}
        for folder in self._place.folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder)
        for job in jobs:
            if job.attempts >= _ATTEMPTS + _ATTEMPTS_ALONE or job.route not in self._models:
                self._fail(job.id, Problem(500, "internal", "The server ended while doing this."))
            elif job.attempts >= _ATTEMPTS:
                suspects.append(job.id)
                self._unfinished.add(job.id)
            else:
                self.enqueue(job.id)
        self._tasks = [asyncio.create_task(self._run(suspects)), asyncio.create_task(self._sweep())]

    def enqueue(self, job_id: str) -> None:
        """Have a job done that is in the store."""
        self._unfinished.add(job_id)
        self._queue.put_nowait(job_id)

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

    async def _run(self, suspects: list[str]) -> None:
        """Do jobs, several at a time; first those that the server may have ended of, each alone."""
        for job_id in suspects:
            await self._work(job_id)
        n_at_a_time = 2 * max(model.max_batch for model in self._models.values())
        async with asyncio.TaskGroup() as group:
            for _ in range(n_at_a_time):
                group.create_task(self._work_on())

    async def _work_on(self) -> None:
        while True:
            job_id = await self._queue.get()
            try:
                await self._work(job_id)
            except Exception:  # such as a disk without room for the store
                log.exception("job %s is tried again", job_id)
                await asyncio.sleep(_RETRY_S)
                self._queue.put_nowait(job_id)

    async def _work(self, job_id: str) -> None:
        job = self._store.begin(job_id)
        if job is not None:
            self._tell(job_id)
            await self._do(job)
        await asyncio.to_thread(shutil.rmtree, self.folder_of(job_id), ignore_errors=True)
        self._unfinished.discard(job_id)

    async def _do(self, job: Job) -> None:
        waited_s, loop = time.time() - job.created_s, asyncio.get_running_loop()

        def on_progress(progress: float) -> None:
            loop.call_soon_threadsafe(self._proceed, job.id, progress)

        notes = Notes(job.seconds | {"wait": waited_s}, on_progress)
        with self._tracer.span("job", {"job.id": job.id, "job.route": job.route}):
            try:
                made = await self._make(job, notes)
                result = await self._stored(job, made, notes)
            except _RemovedError:
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
                self._fail(job.id, problem_of(error))
                return
        self._metrics.finished(job.route, notes.seconds)
        expires_s = time.time() + self._place.keep_s
        if self._store.finish(job.id, result, notes.seconds, expires_s) is None:
            await self._in_thread(self._place.bucket.delete, result.key)
        self._tell(job.id)

    async def _make(self, job: Job, notes: Notes) -> Made:
        model, batcher = self._models[job.route], self._batchers[job.route]
        folder = self.folder_of(job.id)
        upload = Upload(folder / UPLOAD_NAME, job.kind, folder)
        options = model.options.model_validate(job.options)
        predictor = await asyncio.wrap_future(batcher.loaded)
        self._go_on(job, notes, _PREPARE)
        item = await self._in_thread(predictor.prepare, upload, options, notes)
        self._go_on(job, notes, _PREDICT)
        with notes.step("model"):
            output = await batcher.predict(item)
        self._go_on(job, notes, _FINISH)
        return await self._in_thread(predictor.finish, upload, options, output, notes)

    async def _stored(self, job: Job, made: Made, notes: Notes) -> Result:
        """Store a result; while the bucket does not answer, the job waits."""
        key = result_key(job.id)
        with notes.step("store"):
            info = None
            while info is None:
                try:
                    info = await self._in_thread(
                        partial(self._place.bucket.upload, made.path, key, overwrite=True)
                    )
                except BucketUnavailableError as error:
                    log.error("a result cannot be stored: %s", error)
                    await asyncio.sleep(_RETRY_S)
        name = f"{plain_stem(job.file_name)}{made.suffix}"
        return Result(key, info.size, info.crc32c, made.media_type, name)

    def _go_on(self, job: Job, notes: Notes, span: tuple[float, float]) -> None:
        """Begin the next step of a job, unless nobody wants it any more."""
        notes.span = span
        if not self._proceed(job.id, span[0]):
            raise _RemovedError

    def _proceed(self, job_id: str, progress: float) -> bool:
        """Note how far a job is; False if it was removed."""
        job = self._store.proceed(job_id, progress)
        self._tell(job_id)
        return job is not None

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

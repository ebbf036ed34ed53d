"""Does jobs: reads their uploads, runs the model, stores what it made."""

import asyncio
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from s2s.errors import MediaError
from s2s.storage import Bucket
from s2s.tasks.contract import Made, Upload
from serving.jobs.attempts import Attempts, log_end
from serving.jobs.batcher import Batcher
from serving.jobs.job import Job
from serving.jobs.results import RETRY_S, Results
from serving.jobs.storage import UPLOAD_NAME, JobStorage, remove_work
from serving.jobs.store import JobStore
from serving.models.notes import JobNotes
from serving.models.served import Offered
from serving.observe.metrics import Metrics
from serving.observe.traces import Tracer
from serving.problems import Problem, disk_full, problem_of

__all__ = ["Runner"]

_ATTEMPTS, _ATTEMPTS_ALONE = 3, 3
_SWEEP_S = 60.0
# With servers beside this one: how often each says that it is there, when it is taken for gone, and
# how often jobs of others are looked at.
_LIVE_S, _GONE_S, _LOOK_S = 15.0, 120.0, 1.0
_LEAST_ROOM_BYTES = 1 << 20
# Which part of a job's progress each step of a predictor is.
_PREPARE, _PREDICT, _FINISH = (0.05, 0.4), (0.4, 0.7), (0.7, 0.95)


class Runner:
    """Works on queued jobs, several at a time, so that the models get batches.

    Args:
        offered: the models.
        batchers: what runs them, by the models' names.
        store: the jobs; used in the event loop's thread only.
        storage: where files and results are.
        metrics: told what happens.
        tracer: told how long it takes.
    """

    def __init__(
        self,
        offered: Offered,
        batchers: Mapping[str, Batcher],
        store: JobStore,
        storage: JobStorage,
        metrics: Metrics,
        tracer: Tracer,
    ) -> None:
        self._offered = offered
        self._batchers = batchers
        self._store = store
        self._storage = storage
        self._metrics = metrics
        self._tracer = tracer
        # One queue a model: jobs of a slow model delay no jobs of another.
        self._queues: dict[str, asyncio.Queue[str]] = {
            name: asyncio.Queue() for name in offered.by_name
        }
        self._changed: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="media")
        self.results = Results(storage.bucket, store, self._in_thread)
        self._background: list[asyncio.Task[None]] = []
        self._unfinished: set[str] = set()
        self._attempts = Attempts()
        self._sweep_now = asyncio.Event()

    @property
    def bucket(self) -> Bucket:
        """Where results are."""
        return self._storage.bucket

    @property
    def folder(self) -> Path:
        """Where jobs' folders are."""
        return self._storage.folder

    @property
    def unfinished(self) -> Set[str]:
        """Names of jobs that are queued or worked on."""
        return self._unfinished

    @property
    def is_working(self) -> bool:
        """Whether jobs are begun and expired ones removed, as far as is known."""
        return not self._attempts.are_failing and not any(task.done() for task in self._background)

    def start(self) -> None:
        """Take up what an earlier process left, and begin to work."""
        jobs = self._store.recover()
        suspects: dict[str, list[str]] = defaultdict(list)
        known = {job.id for job in jobs}
        for folder in self._storage.folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder)
        for job in jobs:
            model = self._offered.find(job.route, job.model)
            if job.attempts >= _ATTEMPTS + _ATTEMPTS_ALONE or model is None:
                self._fail(job, Problem(500, "internal", "The server ended while doing this."))
            elif job.attempts >= _ATTEMPTS:
                suspects[model.name].append(job.id)
                self._unfinished.add(job.id)
            else:
                self.enqueue(job)
        works = (self._run(suspects), self._sweep(), self.results.watch())
        self._background = [asyncio.create_task(work, name=work.__name__) for work in works]
        for task in self._background:
            task.add_done_callback(log_end)

    def enqueue(self, job: Job) -> None:
        """Have a job done that is in the store."""
        model = self._offered.find(job.route, job.model)
        assert model is not None  # noqa: S101 - it was looked up when the job was made
        self._unfinished.add(job.id)
        self._queues[model.name].put_nowait(job.id)

    async def close(self) -> None:
        """Stop working; unfinished jobs stay in the store."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def wait_for_change(self, job_id: str, timeout_s: float) -> None:
        """Wait until something happens to a job, at most so long; of another server's, a second."""
        if self._store.is_shared and job_id not in self._unfinished:
            timeout_s = min(timeout_s, _LOOK_S)
        changed = self._changed[job_id]
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), timeout_s)

    def remove(self, job: Job) -> None:
        """Forget a job and have its files deleted; work on it ends at the next step."""
        self._store.remove(job.id)
        self._tell(job.id)
        self._sweep_now.set()

    def folder_of(self, job_id: str) -> Path:
        """The job's own folder."""
        return self._storage.folder / job_id

    def _tell(self, job_id: str) -> None:
        """Wake up the requests that wait for a change."""
        if changed := self._changed.pop(job_id, None):
            changed.set()

    async def _run(self, suspects: Mapping[str, list[str]]) -> None:
        """Do jobs, several at a time; first those that the server may have ended of, each alone."""
        for job_id in (job_id for ids in suspects.values() for job_id in ids):
            while not await self._has_done("a job", lambda job_id=job_id: self._work(job_id)):
                pass
        async with asyncio.TaskGroup() as group:
            for model in self._offered.by_name.values():
                for _ in range(2 * model.offer.max_batch):
                    group.create_task(self._work_on(self._queues[model.name]))

    async def _work_on(self, queue: asyncio.Queue[str]) -> None:
        while True:
            job_id = await queue.get()
            if not await self._has_done("a job", lambda job_id=job_id: self._work(job_id)):
                queue.put_nowait(job_id)

    async def _has_done(self, kind: str, work: Callable[[], Awaitable[None]]) -> bool:
        return await self._attempts.has_done(kind, work, RETRY_S)

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

        notes = JobNotes(job.seconds | {"wait": waited_s}, on_progress)
        with self._tracer.span("job", {"job.id": job.id, "job.route": job.route}):
            try:
                made = await self._make(job, notes)
                with notes.step("store"):
                    result = await self.results.put(job, made)
            except _RemovedError:
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
                problem = self._problem_of(error)
                # On a full disk, so that the store has room to note it.
                await asyncio.to_thread(remove_work, self.folder_of(job.id))
                self._fail(job, problem)
                return
        self._metrics.finished(job.route, job.model, notes.seconds)
        expires_s = time.time() + self._storage.keep_s
        if self._store.finish(job.id, result, notes.seconds, expires_s) is None:
            self._store.discard(file.key for file in result.files)
            self._sweep_now.set()
        self._tell(job.id)

    async def _make(self, job: Job, notes: JobNotes) -> Made:
        model = self._offered.find(job.route, job.model)
        assert model is not None  # noqa: S101 - it is in the queue of one
        batcher, folder = self._batchers[model.name], self.folder_of(job.id)
        upload = Upload(folder / UPLOAD_NAME, job.kind, folder)
        options = model.offer.options.model_validate(job.options)
        predictor = await asyncio.wrap_future(batcher.loaded)
        self._go_on(job, notes, _PREPARE)
        item = await self._in_thread(predictor.prepare, upload, options, notes)
        self._go_on(job, notes, _PREDICT)
        with notes.step("model"):
            output = await batcher.predict(item)
        self._go_on(job, notes, _FINISH)
        return await self._in_thread(predictor.finish, upload, options, output, notes)

    def _go_on(self, job: Job, notes: JobNotes, span: tuple[float, float]) -> None:
        """Begin the next step of a job, unless the client has removed it."""
        notes.span = span
        if not self._proceed(job.id, span[0]):
            raise _RemovedError

    def _proceed(self, job_id: str, progress: float) -> bool:
        """Note how far a job is; False if it was removed."""
        job = self._store.proceed(job_id, progress)
        self._tell(job_id)
        return job is not None

    def _problem_of(self, error: Exception) -> Problem:
        """What a job failed of; programs that found no room on the disk blame the file."""
        is_media = isinstance(error, MediaError)
        if is_media and shutil.disk_usage(self.folder).free < _LEAST_ROOM_BYTES:
            return disk_full()
        return problem_of(error)

    def _fail(self, job: Job, problem: Problem) -> None:
        document = problem.document.model_dump(exclude_none=True)
        failed = self._store.fail(job.id, document, time.time() + self._storage.keep_s)
        if failed is not None:
            self._metrics.failed(job.route, job.model, problem.kind)
        self._tell(job.id)

    async def _in_thread(self, function: Callable[..., Any], *args: object) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *args)

    async def _sweep(self) -> None:
        """Remove expired jobs and discarded objects at intervals."""
        pause_s = _LIVE_S if self._store.is_shared else _SWEEP_S
        while True:
            self._sweep_now.clear()
            await self._has_done("tidying up", self._sweep_once)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._sweep_now.wait(), pause_s)

    async def _sweep_once(self) -> None:
        now_s = time.time()
        if self._store.is_shared:
            self._store.live(now_s)
            for job in self._store.orphans(now_s - _GONE_S):
                detail = "The server that had the file is gone. Send the file again."
                self._fail(job, Problem(500, "internal", detail))
            self._store.forget_servers(now_s - _GONE_S)
        for job in self._store.expired(now_s):
            self.remove(job)
        self._sweep_now.clear()
        await self.results.delete_discarded()


class _RemovedError(Exception):
    """The client has removed the job that is worked on."""

"""What the routes share: the models that are served, and what a request may ask of them."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from anyio import CapacityLimiter
from fastapi import Request

from s2s.media import MediaLimits
from s2s.settings import ServingSettings
from serving.access.addresses import counted_address, is_here
from serving.access.keys import KeyRing, RateLimit
from serving.access.sessions import Sessions
from serving.jobs.batcher import Batcher
from serving.jobs.job import Job
from serving.jobs.runner import Runner
from serving.jobs.store import JobStore
from serving.models.served import MAX_PIXELS, MAX_STREAMS, Offered, ServedModel
from serving.observe.metrics import Metrics
from serving.observe.traces import Tracer
from serving.problems import Problem, being_loaded, disk_full, not_loaded

__all__ = ["Limits", "Service", "client_of", "owner_of", "service_of"]

_RETRY_AFTER_S = 5
_MOST_CHECKS = 8


@dataclass(frozen=True)
class Limits:
    """What requests may ask for.

    Attributes:
        max_upload_bytes: of a whole request.
        max_duration_s: length of a video.
        max_pixels: width times height.
        max_streams: picture, sound and other streams of a file.
        max_picture_pixels: of a still picture; as many as of a video by default.
        max_jobs: jobs that may be queued, worked on or on their way here; more get 429. Of one
            client, three quarters, so that nobody keeps all others out.
        keep_s: seconds for which a finished job and its result are kept.
        rate_per_minute: uploads a minute of each key, or of each address where no keys are
            needed; 0 for no limit.
        idle_s: seconds without a byte after which an upload is given up.
        min_upload_rate_hz: bytes a second that an upload must bring on average.
    """

    max_upload_bytes: int
    max_duration_s: float
    max_pixels: int = MAX_PIXELS
    max_streams: int = MAX_STREAMS
    max_picture_pixels: int | None = None
    max_jobs: int = 64
    keep_s: float = 24 * 3600.0
    rate_per_minute: int = 0
    idle_s: float = 30.0
    min_upload_rate_hz: int = 16_384

    @classmethod
    def of(cls, *recipes: ServingSettings) -> "Limits":
        """The widest limits that recipes set; each model has those of its own besides."""
        return cls(
            max(settings.max_upload_bytes for settings in recipes),
            max(settings.max_duration_s for settings in recipes),
        )

    @property
    def media(self) -> MediaLimits:
        """What a file may ask for."""
        return MediaLimits(
            self.max_pixels, self.max_duration_s, self.max_streams, self.max_picture_pixels
        )

    @property
    def max_jobs_of_one(self) -> int:
        """How many of the jobs may be one client's."""
        return self.max_jobs - self.max_jobs // 4

    def of_model(self, model: ServedModel) -> tuple[int, MediaLimits]:
        """Bytes of an upload for a model, and what its file may ask for."""
        return model.max_upload_bytes or self.max_upload_bytes, model.media or self.media


@dataclass
class Service:
    """The state of a running API.

    Attributes:
        offered: what is served.
        batchers: what runs the models, by their names.
        limits: what a request may ask for.
        store: the jobs.
        runner: does the jobs.
        metrics: counts.
        tracer: notes how long things take.
        keys: who may use the API; None for everybody.
        sessions: makes and reads the page's cookies.
        rate_limit: counts uploads.
        checking: bounds how many uploads are checked at a time.
        arriving: names of jobs whose uploads are on their way.
        clients: whose each job is that is on its way or not finished, by the jobs' names.
        is_draining: whether the server stops when its jobs are done.
    """

    offered: Offered
    batchers: Mapping[str, Batcher]
    limits: Limits
    store: JobStore
    runner: Runner
    metrics: Metrics
    tracer: Tracer
    keys: KeyRing | None
    sessions: Sessions
    rate_limit: RateLimit
    # Uploads that wait for a sandbox must not use up the threads that results are read in.
    checking: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_MOST_CHECKS))
    arriving: set[str] = field(default_factory=set)
    clients: dict[str, str] = field(default_factory=dict)
    is_draining: bool = field(default=False)

    @property
    def failures(self) -> Mapping[str, Problem]:
        """Why models could not be loaded, by their names."""
        found = ((name, batcher.failure) for name, batcher in self.batchers.items())
        return {name: not_loaded(error) for name, error in found if error is not None}

    @property
    def is_full(self) -> bool:
        """Whether the disk has no room for an upload of the largest size."""
        return shutil.disk_usage(self.runner.folder).free < self.limits.max_upload_bytes

    def check_ready(self, names: Iterable[str] | None = None) -> None:
        """Make sure that new work is taken.

        Args:
            names: models of which one has to be loaded; None if it is to be known of all whether
                they can be, too.

        Raises:
            Problem: 503 if it is not.
        """
        if self.is_draining:
            raise _not_ready("The server is about to stop. Try again in a few seconds.")
        asked = [self.batchers[name] for name in names or self.batchers]
        is_known = names is not None or all(batcher.loaded.done() for batcher in asked)
        if not (is_known and any(batcher.is_ready for batcher in asked)):
            errors = [batcher.failure for batcher in asked]
            if errors[0] is not None and all(errors):
                raise not_loaded(errors[0])
            raise being_loaded()
        if not self.runner.is_working:
            raise _not_ready("Jobs cannot be worked on now; the server's log says why.")

    def check_room(self, client: str, *, is_sent_again: bool = False) -> None:
        """Make sure that one more job of a client's fits into the queue, and on the disk.

        Args:
            client: who is counted.
            is_sent_again: its job is there already, and only the upload needs room.

        Raises:
            Problem: 429 or 507 if it does not.
        """
        if self.is_full:
            raise disk_full()
        n_unfinished = 0 if is_sent_again else len(self.runner.unfinished)
        if n_unfinished + len(self.arriving) >= self.limits.max_jobs:
            raise _queue_full(f"{self.limits.max_jobs} jobs wait already.")
        self.clients = {
            job_id: name
            for job_id, name in self.clients.items()
            if job_id in self.arriving or job_id in self.runner.unfinished
        }
        most = self.limits.max_jobs_of_one
        counted = self.arriving if is_sent_again else self.clients
        if client and sum(self.clients[job_id] == client for job_id in counted) >= most:
            raise _queue_full(f"{most} jobs of yours wait already.")

    def task_of(self, job: Job) -> str:
        """What the model of a job has learned; the route's name if it is not served any more."""
        model = self.offered.find(job.route, job.model) or self.offered.find(job.route, "")
        return job.route if model is None else model.task

    def job(self, job_id: str, owner: str) -> Job:
        """A job of somebody's.

        Raises:
            Problem: 404 if there is none, or it is somebody else's.
        """
        job = self.store.get(job_id)
        if job is None or job.owner != owner:
            detail = "It was removed, has expired or never was. Send the file again."
            raise Problem(404, "no-such-job", detail)
        return job


def service_of(request: Request) -> Service:
    """The API's state, for routes."""
    return request.app.state.service


def owner_of(request: Request) -> str:
    """Whose request it is; empty where no keys are needed.

    Raises:
        Problem: 401 without a key that is known.
    """
    service = service_of(request)
    return "" if service.keys is None else service.keys.check(request, service.sessions)


def client_of(request: Request, owner: str) -> str:
    """Who is counted for a request: its key's owner, or its address.

    Empty on this machine, where everybody has the same address.
    """
    host = request.client.host if request.client else ""
    return owner or ("" if is_here(host) else counted_address(host))


def _queue_full(why: str) -> Problem:
    return Problem(
        429,
        "queue-full",
        f"{why} Try again in {_RETRY_AFTER_S} s.",
        headers={"Retry-After": str(_RETRY_AFTER_S)},
    )


def _not_ready(detail: str) -> Problem:
    return Problem(503, "not-ready", detail, headers={"Retry-After": str(_RETRY_AFTER_S)})

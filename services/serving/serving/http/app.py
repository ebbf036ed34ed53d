"""The API and its page, put together."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from fastapi import FastAPI

from s2s.errors import MediaError
from s2s.media import missing_protections, start_sandbox
from s2s.storage import Bucket, DirectoryBucket
from s2s.workspace import scratch
from serving.access.bodies import ShortBodies
from serving.access.keys import KeyRing, RateLimit
from serving.access.origins import KnownOrigins
from serving.access.sessions import Sessions, SessionTable
from serving.http import job_routes
from serving.http.answers.headers import SecurityHeaders
from serving.http.answers.problems import add_problem_handlers
from serving.http.methods import include_routes, is_known_path
from serving.http.page import page_router
from serving.http.server_routes import server_router
from serving.http.service import Limits, Service
from serving.http.submissions import submission_router
from serving.jobs.batcher import Batcher
from serving.jobs.runner import Runner
from serving.jobs.storage import JobStorage, locked
from serving.jobs.store import JobStore
from serving.models.served import Offered, ServedModel
from serving.observe.metrics import Metrics
from serving.observe.requests import Observer
from serving.observe.traces import make_tracer

__all__ = ["create_app"]

log = logging.getLogger(__name__)


def create_app(  # noqa: PLR0913 - what a server is put together from
    models: Iterable[ServedModel],
    limits: Limits,
    folder: Path,
    bucket: Bucket | None = None,
    keys: KeyRing | None = None,
    *,
    names: Iterable[str] = (),
    jobs: str = "",
) -> FastAPI:
    """Make the API of some models.

    The models are loaded in the background from now on; until they are there, requests for work
    are answered with 503.

    Args:
        models: what to serve; those of a task share its route, and the first is its default.
        limits: what requests may ask for.
        folder: jobs and uploads are kept here, by one server at a time.
        bucket: where results are stored; by default under the folder.
        keys: who may use the API; None for everybody.
        names: hosts that the server is called by; without keys, it answers to these, to addresses,
            localhost and the machine's own name only.
        jobs: address of a PostgreSQL database that servers share their jobs in; they share the
            bucket, too. Empty for a file in the folder.

    Raises:
        StageError: if another server uses the folder, or the database cannot be used.
        SettingsError: if two models have one name, or traces are asked for and cannot be sent.
    """
    offered = Offered(models)
    service, lock = _make_service(offered, limits, folder, bucket, keys, jobs)
    app = FastAPI(
        title="Silent to Sound",
        description="Videos and pictures go in; what models make of them comes out.",
        version="1",
        # Swagger's and ReDoc's pages would be loaded from other hosts.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=partial(_lifespan, service, lock),
    )
    app.state.service = service
    _add_middleware(app, service, names=None if keys is not None else names)
    add_problem_handlers(app)
    for beside in offered.by_route.values():
        include_routes(app, submission_router(beside))
    for router in (job_routes.router, server_router(), page_router(offered.pages)):
        include_routes(app, router)
    return app


@asynccontextmanager
async def _lifespan(service: Service, lock: BinaryIO, _app: FastAPI) -> AsyncIterator[None]:
    """Work on jobs as long as the server runs."""
    start_sandbox()
    service.runner.start()
    checking = asyncio.create_task(asyncio.to_thread(_check_sandbox))
    yield
    await checking
    await service.runner.close()
    for batcher in service.batchers.values():
        await asyncio.to_thread(batcher.close)
    service.store.close()
    service.tracer.close()
    lock.close()


def _add_middleware(app: FastAPI, service: Service, names: Iterable[str] | None) -> None:
    """What every request comes through; the last that is added sees it first."""
    uploads = [f"/v1/{route}" for route in service.offered.by_route]
    app.add_middleware(ShortBodies, uploads=uploads, is_known=partial(is_known_path, app))
    app.add_middleware(KnownOrigins, names=names)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Observer, metrics=service.metrics, tracer=service.tracer)


def _make_service(
    offered: Offered,
    limits: Limits,
    folder: Path,
    bucket: Bucket | None,
    keys: KeyRing | None,
    jobs: str,
) -> tuple[Service, BinaryIO]:
    folder = folder.absolute()  # sandboxes work in directories of their own
    uploads = folder / "uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    lock = locked(folder)
    tracer = make_tracer()
    # Before models are loaded, which nothing can break off in peace.
    store = JobStore.shared(jobs, folder) if jobs else JobStore.of_folder(folder)
    table = SessionTable(store.database)
    sessions = Sessions.of_database(table) if jobs else Sessions.of_folder(folder, table)
    metrics = Metrics(lambda: len(service.runner.unfinished))
    batchers = _make_batchers(offered, limits, metrics)
    storage = JobStorage(uploads, bucket or DirectoryBucket(folder / "results"), limits.keep_s)
    runner = Runner(offered, batchers, store, storage, metrics, tracer)
    service = Service(
        offered=offered,
        batchers=batchers,
        limits=limits,
        store=store,
        runner=runner,
        metrics=metrics,
        tracer=tracer,
        keys=keys,
        sessions=sessions,
        rate_limit=RateLimit(limits.rate_per_minute),
    )
    return service, lock


def _make_batchers(offered: Offered, limits: Limits, metrics: Metrics) -> dict[str, Batcher]:
    return {
        model.name: Batcher(
            partial(model.load, limits.of_model(model)[1]),
            model.offer.max_batch,
            limits.max_jobs,
            partial(metrics.batch, model.offer.route, model.name),
        )
        for model in offered.by_name.values()
    }


def _check_sandbox() -> None:
    """Say in the log what the system cannot keep the readers of uploads from."""
    with scratch() as folder:
        try:
            missing = missing_protections(folder)
        except (MediaError, OSError) as error:
            log.error("whether readers of uploads are fenced in cannot be told: %s", error)
            return
        for name in missing:
            log.warning(
                "uploads are read without a fence around this machine's %s: the kernel has no %s",
                name,
                {"files": "Landlock", "network": "seccomp"}[name],
            )

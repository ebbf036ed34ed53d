"""The API and its page, put together."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from fastapi import Depends, FastAPI, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from s2s.errors import StageError
from s2s.media import start_sandbox
from s2s.storage import Bucket, DirectoryBucket
from serving.http import job_routes
from serving.http.headers import SecurityHeaders
from serving.http.keys import COOKIE, KeyRing, RateLimit
from serving.http.problems import Problem, add_problem_handlers, responses
from serving.http.service import Limits, Service, service_of
from serving.http.submissions import submission_router
from serving.jobs.batcher import Batcher
from serving.jobs.runner import Place, Runner
from serving.jobs.store import JobStore
from serving.models.contract import ServedModel
from serving.observe.metrics import CONTENT_TYPE_LATEST, Metrics
from serving.observe.requests import Observer
from serving.observe.traces import make_tracer

__all__ = ["create_app"]

_STATIC = Path(__file__).parent / "static"
_ServiceOfApp = Annotated[Service, Depends(service_of)]


def create_app(
    models: Sequence[ServedModel],
    limits: Limits,
    folder: Path,
    bucket: Bucket | None = None,
    keys: KeyRing | None = None,
) -> FastAPI:
    """Make the API of some models.

    The models are loaded in the background from now on; until they are there, requests for work
    are answered with 503.

    Args:
        models: what to serve, each at a route of its own.
        limits: what requests may ask for.
        folder: jobs and uploads are kept here, by one server at a time.
        bucket: where results are stored; by default under the folder.
        keys: who may use the API; None for everybody.

    Raises:
        StageError: if another server uses the folder.
        SettingsError: if traces are asked for and cannot be sent.
    """
    service, lock = _make_service(models, limits, folder, bucket, keys)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        start_sandbox()
        service.runner.start()
        yield
        await service.runner.close()
        for batcher in service.batchers.values():
            await asyncio.to_thread(batcher.close)
        service.store.close()
        service.tracer.close()
        lock.close()

    app = FastAPI(
        title="Silent to Sound",
        description="Gives silent videos a sound that fits.",
        version="1",
        # Swagger's and ReDoc's pages would be loaded from other hosts.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Observer, metrics=service.metrics, tracer=service.tracer)
    add_problem_handlers(app)
    for model in models:
        app.include_router(submission_router(model))
    app.include_router(job_routes.router)
    app.add_api_route("/v1/models", read_models)
    app.add_api_route(
        "/v1/session", open_session, methods=["POST"], status_code=204, responses=responses(401)
    )
    app.add_api_route("/healthz", health)
    app.add_api_route("/readyz", ready, responses=responses(503))
    app.add_api_route("/metrics", read_metrics, response_class=Response)
    app.add_api_route("/", page, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    return app


def _make_service(
    models: Sequence[ServedModel],
    limits: Limits,
    folder: Path,
    bucket: Bucket | None,
    keys: KeyRing | None,
) -> tuple[Service, BinaryIO]:
    uploads = folder / "uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    lock = _locked(folder)
    tracer = make_tracer()
    metrics = Metrics(lambda: service.runner.n_unfinished)
    batchers = {
        model.route: Batcher(
            model.load, model.max_batch, limits.max_jobs, partial(metrics.batch, model.route)
        )
        for model in models
    }
    store = JobStore(folder / "jobs.sqlite3")
    by_route = {model.route: model for model in models}
    place = Place(uploads, bucket or DirectoryBucket(folder / "results"), limits.keep_s)
    runner = Runner(by_route, batchers, store, place, metrics, tracer)
    service = Service(
        models=by_route,
        batchers=batchers,
        limits=limits,
        store=store,
        runner=runner,
        metrics=metrics,
        tracer=tracer,
        keys=keys,
        rate_limit=RateLimit(limits.rate_per_minute),
    )
    return service, lock


def _locked(folder: Path) -> BinaryIO:
    """Keep other servers off: they would remove each other's uploads."""
    lock = (folder / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StageError(
            f"{folder}: another server works here: stop it, or choose another --work-dir"
        ) from error
    return lock


class Key(BaseModel):
    """A key of the API."""

    key: str


async def health() -> dict[str, str]:
    """Whether the server is alive."""
    return {"status": "ok"}


async def ready(service: _ServiceOfApp) -> dict[str, str]:
    """Whether new work is taken: every model is loaded, and the server is not about to stop."""
    service.check_ready()
    return {"status": "ready"}


async def read_metrics(service: _ServiceOfApp) -> Response:
    """What Prometheus collects."""
    return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def read_models(service: _ServiceOfApp) -> dict[str, Any]:
    """The models that are served, what they accept, and the fields of their forms."""
    limits = service.limits
    offered = [
        {
            "id": model.name,
            "task": model.task,
            "url": f"/v1/{model.route}",
            "title": model.title,
            "ready": service.batchers[model.route].is_ready,
            "types": model.types,
            "max_upload_bytes": limits.max_upload_bytes,
            "max_duration_s": limits.max_duration_s,
            "max_pixels": limits.max_pixels,
            "options": model.options.model_json_schema()["properties"],
        }
        for model in service.models.values()
    ]
    return {"models": offered, "needs_key": service.keys is not None}


async def open_session(key: Key, service: _ServiceOfApp, response: Response) -> None:
    """Let the page use a key: it comes back as a cookie that no script can read."""
    if service.keys is None:
        return
    if service.keys.owner(key.key) is None:
        raise Problem(401, "unauthorized", "This server does not know the key. Check it.")
    response.set_cookie(COOKIE, key.key, httponly=True, samesite="strict", path="/")


async def page() -> FileResponse:
    """The page that does the same in a browser."""
    return FileResponse(_STATIC / "index.html")

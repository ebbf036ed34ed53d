"""The API and its page, put together."""

import asyncio
import fcntl
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from s2s.errors import MediaError, StageError
from s2s.media import missing_protections, start_sandbox
from s2s.storage import Bucket, DirectoryBucket
from s2s.workspace import scratch
from serving.access.bodies import ShortBodies
from serving.access.keys import KeyRing, RateLimit
from serving.access.origins import KnownOrigins
from serving.access.sessions import COOKIE, LIFETIME_S, Sessions
from serving.http import job_routes
from serving.http.headers import SecurityHeaders
from serving.http.methods import include_routes, is_known_path
from serving.http.page import EXAMPLE, STATIC, page_router
from serving.http.problem_answers import add_problem_handlers, responses
from serving.http.service import Limits, Service, service_of
from serving.http.submissions import submission_router
from serving.jobs.batcher import Batcher
from serving.jobs.runner import Runner
from serving.jobs.storage import JobStorage
from serving.jobs.store import JobStore
from serving.models.served import Offered, ServedModel
from serving.observe.metrics import CONTENT_TYPE_LATEST, Metrics
from serving.observe.requests import Observer
from serving.observe.traces import make_tracer
from serving.problems import Problem

__all__ = ["create_app"]

log = logging.getLogger(__name__)

_ServiceOfApp = Annotated[Service, Depends(service_of)]


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

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
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

    app = FastAPI(
        title="Silent to Sound",
        description="Videos and pictures go in; what models make of them comes out.",
        version="1",
        # Swagger's and ReDoc's pages would be loaded from other hosts.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    uploads = [f"/v1/{route}" for route in offered.by_route]
    app.add_middleware(ShortBodies, uploads=uploads, is_known=partial(is_known_path, app))
    app.add_middleware(KnownOrigins, names=None if keys is not None else names)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Observer, metrics=service.metrics, tracer=service.tracer)
    add_problem_handlers(app)
    for beside in offered.by_route.values():
        include_routes(app, submission_router(beside))
    for router in (job_routes.router, _server_router(), page_router(offered.pages)):
        include_routes(app, router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def _server_router() -> APIRouter:
    """What is asked of the server itself."""
    router = APIRouter()
    router.add_api_route("/v1/models", read_models)
    router.add_api_route(
        "/v1/session",
        open_session,
        methods=["POST"],
        status_code=204,
        responses=responses(400, 401, 403, 413, 422),
    )
    router.add_api_route("/healthz", health)
    router.add_api_route("/readyz", ready, responses=responses(503))
    metrics = {"description": "For Prometheus.", "content": {"text/plain": {"schema": {}}}}
    router.add_api_route(
        "/metrics", read_metrics, response_class=Response, responses={200: metrics}
    )
    return router


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
    lock = _locked(folder)
    tracer = make_tracer()
    metrics = Metrics(lambda: len(service.runner.unfinished))
    batchers = {
        model.name: Batcher(
            partial(model.load, limits.of_model(model)[1]),
            model.offer.max_batch,
            limits.max_jobs,
            partial(metrics.batch, model.offer.route, model.name),
        )
        for model in offered.by_name.values()
    }
    store = JobStore.shared(jobs, folder) if jobs else JobStore.of_folder(folder)
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
        sessions=Sessions.of_store(store) if jobs else Sessions.of_folder(folder),
        rate_limit=RateLimit(limits.rate_per_minute),
    )
    return service, lock


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
    """Whether new work is taken: models are loaded, jobs worked on, and there is room."""
    service.check_ready()
    if service.is_full:
        raise Problem(503, "not-ready", "The disk has no room for an upload.")
    return {"status": "ready"}


async def read_metrics(service: _ServiceOfApp) -> Response:
    """What Prometheus collects."""
    return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def read_models(service: _ServiceOfApp) -> dict[str, Any]:
    """The models that are served, what they accept, and the fields of their forms."""
    models = [_offer_document(service, model) for model in service.offered.by_name.values()]
    return {"models": models, "needs_key": service.keys is not None}


def _offer_document(service: Service, model: ServedModel) -> dict[str, Any]:
    offer, (max_bytes, media) = model.offer, service.limits.of_model(model)
    return {
        "id": model.name,
        "task": model.task,
        "url": f"/v1/{offer.route}",
        "title": offer.title,
        "lead": offer.lead,
        "file_label": offer.file_label,
        "action": offer.action,
        "has_page": model.task in service.offered.pages,
        "example": _example_of(service, model.task),
        "ready": service.batchers[model.name].is_ready,
        "types": offer.types,
        "max_upload_bytes": max_bytes,
        "max_duration_s": media.max_duration_s,
        "max_pixels": media.max_pixels,
        "max_picture_pixels": media.of_picture.max_pixels,
        "options": offer.options.model_json_schema().get("properties", {}),
        "own": dict(model.own),
    }


def _example_of(service: Service, task: str) -> str:
    """A video to try the model with: the task's own, where it has one."""
    page = service.offered.pages.get(task)
    if page is not None and (page / EXAMPLE).is_file():
        return f"/static/tasks/{task}/{EXAMPLE}"
    return f"/static/{EXAMPLE}"


async def open_session(
    key: Key, request: Request, service: _ServiceOfApp, response: Response
) -> None:
    """Let the page use a key: a cookie that no script can read stands for it from now on."""
    if service.keys is None:
        return
    if service.keys.owner(key.key) is None:
        raise Problem(401, "unauthorized", "This server does not know the key. Check it.")
    response.set_cookie(
        COOKIE,
        service.keys.token(key.key, service.sessions),
        max_age=LIFETIME_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )

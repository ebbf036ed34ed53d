"""The API and its page, put together."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from serving import generations
from serving.headers import SecurityHeaders
from serving.intake import ACCEPTED_TYPES
from serving.problems import PROBLEM_RESPONSES, add_problem_handlers
from serving.service import Limits, ServedModel, Service, service_of
from serving.worker import Worker

__all__ = ["create_app"]

_STATIC = Path(__file__).parent / "static"
_ServiceOfApp = Annotated[Service, Depends(service_of)]


def create_app(model: ServedModel, limits: Limits, folder: Path | None = None) -> FastAPI:
    """Make the API of a model.

    The model is loaded in the background from now on; until it is there, requests for it are
    answered with 503.

    Args:
        model: what to serve.
        limits: what a request may ask for.
        folder: where uploads are kept while they are worked on; by default the system's
            directory for temporary files.
    """
    service = Service(model, limits, Worker(model.load), folder or Path(tempfile.gettempdir()))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.folder.mkdir(parents=True, exist_ok=True)
        yield
        service.worker.close()

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
    add_problem_handlers(app)
    app.add_api_route("/healthz", health, responses={503: PROBLEM_RESPONSES[503]})
    app.add_api_route("/v1/models", models)
    app.include_router(generations.router)
    app.add_api_route("/", page, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    return app


async def health(service: _ServiceOfApp) -> dict[str, str]:
    """Whether a video would be worked on now."""
    service.worker.check_ready()
    return {"status": "ok"}


async def models(service: _ServiceOfApp) -> dict[str, Any]:
    """The models that are served, and what they accept."""
    limits = service.limits
    offered = {
        "id": service.model.name,
        "task": service.model.task,
        "ready": service.worker.is_ready,
        "types": ACCEPTED_TYPES,
        "max_upload_bytes": limits.max_upload_bytes,
        "max_duration_s": limits.max_duration_s,
        "max_pixels": limits.max_pixels,
    }
    return {"models": [offered]}


async def page() -> FileResponse:
    """The page that does the same in a browser."""
    return FileResponse(_STATIC / "index.html")

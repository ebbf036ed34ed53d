"""What is asked of the server itself: its models, sessions, health and counts."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from serving.access.sessions import COOKIE, LIFETIME_S
from serving.http.answers.problems import responses
from serving.http.fields import accepted_files
from serving.http.page import EXAMPLE
from serving.http.service import Service, owner_of, service_of
from serving.models.served import ServedModel
from serving.observe.metrics import CONTENT_TYPE_LATEST
from serving.problems import Problem, bucket_away

__all__ = ["server_router"]

_Service = Annotated[Service, Depends(service_of)]


def server_router() -> APIRouter:
    """Routes that no job is needed for."""
    router = APIRouter()
    router.add_api_route("/v1/models", read_models, responses=responses(422))
    router.add_api_route(
        "/v1/session",
        open_session,
        methods=["POST"],
        status_code=204,
        response_class=Response,
        responses=responses(400, 401, 403, 413, 422),
    )
    router.add_api_route(
        "/v1/session",
        close_session,
        methods=["DELETE"],
        status_code=204,
        response_class=Response,
        responses=responses(403, 422),
    )
    router.add_api_route("/healthz", health)
    router.add_api_route("/readyz", ready, responses=responses(503))
    metrics = {"description": "For Prometheus.", "content": {"text/plain": {"schema": {}}}}
    router.add_api_route(
        "/metrics",
        read_metrics,
        response_class=Response,
        responses={200: metrics} | responses(401),
    )
    return router


class Key(BaseModel):
    """A key of the API."""

    model_config = ConfigDict(extra="forbid")

    key: str


async def health() -> dict[str, str]:
    """Whether the server is alive."""
    return {"status": "ok"}


async def ready(service: _Service) -> dict[str, Any]:
    """Whether new work is taken: models are loaded, jobs worked on, results kept; there is room.

    Models that could not be loaded are named in `not_loaded`, as long as others are.
    """
    service.check_ready()
    if service.runner.results.is_away:
        raise bucket_away()
    if service.is_full:
        raise Problem(503, "not-ready", "The disk has no room for an upload.")
    failures = {name: problem.document.detail for name, problem in service.failures.items()}
    return {"status": "ready"} | ({"not_loaded": failures} if failures else {})


async def read_metrics(service: _Service, _owner: Annotated[str, Depends(owner_of)]) -> Response:
    """What Prometheus collects; where keys are needed, with one."""
    return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def read_models(service: _Service) -> dict[str, Any]:
    """The models that are served, what they accept, and the fields of their forms."""
    models = [_offer_document(service, model) for model in service.offered.by_name.values()]
    return {"models": models, "needs_key": service.keys is not None}


def _offer_document(service: Service, model: ServedModel) -> dict[str, Any]:
    offer, (max_bytes, media) = model.offer, service.limits.of_model(model)
    failure = service.failures.get(model.name)
    return {
        "id": model.name,
        "task": model.task,
        "url": f"/v1/{offer.route}",
        "title": offer.title,
        "lead": offer.lead,
        "note": model.note,
        "file_label": offer.file_label,
        "action": offer.action,
        "has_page": model.task in service.offered.pages,
        "example": f"/static/tasks/{model.task}/{model.example}"
        if model.example
        else f"/static/{EXAMPLE}",
        "ready": service.batchers[model.name].is_ready,
        "not_loaded": None if failure is None else failure.document.detail,
        "types": offer.types,
        "needs_sound": offer.needs_sound,
        "accept": accepted_files(offer.types),
        "result": offer.result,
        "max_upload_bytes": max_bytes,
        "max_duration_s": media.max_duration_s,
        "max_pixels": media.max_pixels,
        "max_picture_pixels": media.of_picture.max_pixels,
        "options": offer.options.model_json_schema().get("properties", {}),
        "own": dict(model.own),
    }


async def open_session(key: Key, request: Request, service: _Service, response: Response) -> None:
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


async def close_session(request: Request, service: _Service, response: Response) -> None:
    """End the page's session, copies of its cookie too; jobs stay, for whoever has the key."""
    service.sessions.end(request.cookies.get(COOKIE, ""))
    response.delete_cookie(
        COOKIE,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )

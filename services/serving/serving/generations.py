"""`POST /v1/generations`: a video goes in, the same video comes out with sound."""

import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Annotated, Any

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect

from s2s.media import MediaLimits
from serving.form import FILE_FIELD, receive_form
from serving.headers import SEED_HEADER
from serving.intake import check_video
from serving.problems import PROBLEM_RESPONSES, Problem
from serving.service import Service, service_of

__all__ = ["GenerationOptions", "router"]

_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 80

router = APIRouter(prefix="/v1", tags=["generation"])


class GenerationOptions(BaseModel):
    """Optional fields of the form."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int = Field(
        default=0, ge=0, le=2**32 - 1, description="Another seed gives another sound."
    )
    steps: int | None = Field(
        default=None, ge=1, le=100, description="Steps of the sampler; the model's own by default."
    )
    guidance: float | None = Field(
        default=None,
        ge=1,
        le=20,
        description="How closely the sound follows the picture; the model's own by default.",
    )


def _form_schema() -> dict[str, Any]:
    schema = GenerationOptions.model_json_schema()
    video = {"type": "string", "format": "binary", "description": "mp4, mov, webm, mkv or avi"}
    schema["properties"] = {FILE_FIELD: video, **schema["properties"]}
    return schema | {"required": [FILE_FIELD]}


async def upload_folder(service: Annotated[Service, Depends(service_of)]) -> AsyncIterator[Path]:
    """A folder of a request's own, gone when its answer is sent or it failed."""
    async with anyio.TemporaryDirectory(prefix="upload-", dir=str(service.folder)) as folder:
        yield Path(folder)


@router.post(
    "/generations",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The video with generated sound; its picture is the uploaded one's.",
            "content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {
                "Server-Timing": {
                    "description": "Milliseconds of each step.",
                    "schema": {"type": "string"},
                },
                SEED_HEADER: {
                    "description": "The seed that was used.",
                    "schema": {"type": "integer"},
                },
            },
        },
        **PROBLEM_RESPONSES,
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": _form_schema()}},
        }
    },
)
async def make_generation(
    request: Request,
    service: Annotated[Service, Depends(service_of)],
    folder: Annotated[Path, Depends(upload_folder)],
) -> FileResponse:
    """Give a video generated sound; sound that it has is left out."""
    service.worker.check_ready()
    video, output = folder / "upload", folder / "generated.mp4"
    limits = service.limits
    seconds: dict[str, float] = {}
    with _timed(seconds, "upload"):
        form = await receive_form(request, video, limits.max_upload_bytes)
    options = _parse_options(form.fields)
    with _timed(seconds, "check"):
        media_limits = MediaLimits(limits.max_pixels, limits.max_duration_s, limits.max_streams)
        await to_thread.run_sync(check_video, video, form.file_name, media_limits)
    asked = time.monotonic()
    async with service.worker.turn:
        seconds["wait"] = time.monotonic() - asked
        if await request.is_disconnected():
            raise ClientDisconnect
        generated = await service.worker.generate(
            video, output, options.seed, options.steps, options.guidance
        )
    return FileResponse(
        output,
        media_type="video/mp4",
        filename=f"{_plain_stem(form.file_name)}_with_sound.mp4",
        headers={
            "Cache-Control": "no-store",
            "Server-Timing": _server_timing(seconds | dict(generated.seconds_by_step)),
            SEED_HEADER: str(options.seed),
        },
    )


def _parse_options(fields: Mapping[str, str]) -> GenerationOptions:
    try:
        return GenerationOptions.model_validate(fields)
    except ValidationError as error:
        errors = [
            {"field": ".".join(map(str, item["loc"])), "detail": item["msg"]}
            for item in error.errors()
        ]
        detail = "; ".join(f"{item['field']}: {item['detail']}" for item in errors)
        raise Problem(422, "invalid-fields", detail, {"errors": errors}) from error


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[step] = time.monotonic() - started


def _server_timing(seconds: Mapping[str, float]) -> str:
    return ", ".join(f"{step};dur={1000 * value:.1f}" for step, value in seconds.items())


def _plain_stem(file_name: str) -> str:
    """The client's name for its file without anything that means something in a path."""
    stem = PurePath(file_name.replace("\\", "/")).stem
    return _NOT_IN_A_NAME.sub("_", stem)[:_LONGEST_NAME].strip("._") or "video"

"""The page: one frame, in which each task shows its results in its own way."""

import html
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from serving.http.answers.contents import Content, content_answer
from serving.http.answers.problems import not_found
from serving.http.fields import accepted_files, render_fields
from serving.http.service import Service, service_of
from serving.models.served import ServedModel

__all__ = ["EXAMPLE", "STATIC", "page_router"]

STATIC = Path(__file__).parent / "static"
EXAMPLE = "example.mp4"
"""A video to try a model with; a task may bring others."""
_FRAME, _REFERENCE = "index.html", "reference.html"
# What a task may bring; its folder holds the code of its reports too.
_SUFFIXES = {".html", ".js", ".css", ".svg", ".mp4"}


def page_router(pages: Mapping[str, Path]) -> APIRouter:
    """The page, and the parts of it that tasks bring.

    Args:
        pages: folders of the parts, by task.
    """
    router = APIRouter(include_in_schema=False)
    parts = _static_parts() | {
        f"tasks/{task}/{path.name}": Content.of_file(path)
        for task, folder in pages.items()
        for path in folder.iterdir()
        if path.suffix in _SUFFIXES
    }

    @router.get("/")
    async def page(service: Annotated[Service, Depends(service_of)]) -> Response:
        """The frame, with the form of the first model: it works without a script."""
        first = next(iter(service.offered.by_name.values()))
        return HTMLResponse(_frame(first))

    @router.get("/docs")
    async def reference(request: Request) -> Response:
        """The API for people: made of its OpenAPI description, without scripts of others."""
        return await content_answer(request, parts[_REFERENCE])

    @router.get("/static/{name:path}")
    async def part(request: Request, name: str) -> Response:
        """A file of the page, or one that a task brings."""
        found = parts.get(name)
        return not_found() if found is None else await content_answer(request, found)

    return router


def _static_parts() -> dict[str, Content]:
    paths = [path for path in STATIC.rglob("*") if path.is_file() and path.name != _FRAME]
    return {str(path.relative_to(STATIC)): Content.of_file(path) for path in paths}


def _frame(model: ServedModel) -> str:
    offer = model.offer
    words = {
        "action": offer.action,
        "file_label": offer.file_label,
        "lead": offer.lead,
        "route": offer.route,
        "title": offer.title,
        "types": ", ".join(offer.types),
        "accept": accepted_files(offer.types),
    }
    frame = string.Template((STATIC / _FRAME).read_text(encoding="utf-8"))
    options = offer.options.model_json_schema().get("properties", {})
    return frame.substitute(
        {name: html.escape(text) for name, text in words.items()},
        options=render_fields(options, model.own),
    )

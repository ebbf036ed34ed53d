"""HTML of a task's part of a page: everything is escaped, and bytes can be put into it."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

__all__ = ["page_environment", "render"]


def page_environment(folder: Path) -> Environment:
    """Templates of a folder, with `data_uri`, which puts bytes into the page."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters["data_uri"] = _data_uri
    return environment


def render(template: Path, **values: object) -> Markup:
    """HTML of a template, safe in any page.

    Args:
        template: the file.
        values: what it shows.
    """
    found = page_environment(template.parent).get_template(template.name)
    return Markup(found.render(**values))  # noqa: S704 - by a template that escapes


def _data_uri(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"

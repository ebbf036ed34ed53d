"""Pages that are one file: nothing beside them, and no network."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment

from s2s.errors import ObjectNotFoundError
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.tasks.common import html
from s2s.tasks.contract import MODEL
from s2s.workspace import replacing

__all__ = ["capped_notice", "page_environment", "read_if_there", "write_framed", "write_page"]

_TEMPLATES = Path(__file__).with_name("templates")


def page_environment() -> Environment:
    """The launcher's own templates."""
    return html.page_environment(_TEMPLATES)


def read_if_there(bucket: Bucket, key: str) -> bytes | None:
    """An object, or None."""
    try:
        return bucket.read(key)
    except ObjectNotFoundError:
        return None


def write_page(path: Path, text: str) -> Path:
    """Write a page under a temporary name, then rename it."""
    with replacing(path) as staged:
        staged.write_text(text, encoding="utf-8")
    return path


def write_framed(path: Path, template: str, **values: object) -> Path:
    """Write a page that stands in the frame of all reports.

    Args:
        path: the page.
        template: extends `frame.html.jinja`.
        values: what it shows; `facts`, pairs of words, and `capped` are the frame's.
    """
    text = (
        page_environment()
        .get_template(template)
        .render(
            written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            nonce=secrets.token_urlsafe(12),
            **values,
        )
    )
    return write_page(path, text)


def capped_notice(recipe: Recipe, training: Mapping[str, Any]) -> str:
    """What is to be said where time ended a training before its steps were done; else nothing.

    Args:
        recipe: of the model.
        training: what the model's metrics say of its training.
    """
    if training.get("stopped_by", "max_steps") != "max_minutes":
        return ""
    objectives = training.get("objectives") or {MODEL: training}
    capped = {name: one for name, one in objectives.items() if one["stopped_by"] == "max_minutes"}
    parts = [
        f"training.max_minutes struck after {one['steps']:,} of {recipe.training.max_steps:,} steps"
        if name == MODEL
        else f"max_minutes of the {name} struck after {one['steps']:,} of its steps"
        for name, one in capped.items()
    ]
    return (
        f"Time ended the training: {', and '.join(parts)}, so these figures depend on how busy the "
        "machine was."
    )

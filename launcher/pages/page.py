"""Pages that are one file: nothing beside them, and no network."""

from pathlib import Path

from jinja2 import Environment

from s2s.errors import ObjectNotFoundError
from s2s.storage import Bucket
from s2s.tasks.common import html
from s2s.workspace import replacing

__all__ = ["page_environment", "read_if_there", "write_page"]

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

"""Pages that are one file: nothing beside them, and no network."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from s2s.errors import ObjectNotFoundError
from s2s.storage import Bucket
from s2s.workspace import replacing

__all__ = ["page_environment", "read_if_there", "write_page"]

_TEMPLATES = Path(__file__).with_name("templates")


def page_environment() -> Environment:
    """Templates in which everything is escaped, and `data_uri` puts bytes into the page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["data_uri"] = _data_uri
    return environment


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


def _data_uri(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"

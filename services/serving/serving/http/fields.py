"""Fields of a form as HTML: which files a picker shows; options, where no script runs."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from s2s.media import PICTURE_TYPES, VIDEO_TYPES

__all__ = ["accepted_files", "file_schema", "render_fields"]

_KINDS = {"integer": "1", "number": "any"}


def accepted_files(types: Sequence[str]) -> str:
    """What a file picker shows, as the attribute `accept`.

    Extensions, and media types besides: telephones offer the camera and the photos for these, and
    know few extensions.

    Args:
        types: extensions without a dot.
    """
    named = [f".{name}" for name in types]
    videos = ["video/*"] if set(types) & set(VIDEO_TYPES) else []
    pictures = [f"image/{name}" for name in types if name in PICTURE_TYPES and name != "jpg"]
    return ",".join([*named, *videos, *pictures])


def file_schema(field: str, types: Sequence[str]) -> dict[str, str]:
    """What JSON Schema says of a file that is sent.

    Args:
        field: `video`, which a picture may be sent in, too, or `picture`.
        types: extensions that are accepted.
    """
    pictures = [name for name in types if name in PICTURE_TYPES]
    videos = [name for name in types if name not in pictures]
    shown = pictures if field == "picture" else videos
    also = "; or a picture" if pictures and field == "video" else ""
    return {"type": "string", "format": "binary", "description": ", ".join(shown) + also}


def render_fields(options: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """The fields that JSON Schema describes, each with its label and hint.

    Args:
        options: schemas of the fields by name.
        own: the model's own values of fields without a default.
    """
    return "".join(_field(name, schema, own.get(name)) for name, schema in options.items())


def _field(name: str, schema: Mapping[str, Any], own: object) -> str:
    title = html.escape(schema.get("title", name))
    hint = html.escape(schema.get("description", ""))
    named = f'id="{name}" name="{name}" aria-describedby="{name}-hint"'
    control = _choice(named, schema) if "enum" in schema else _entry(named, schema, own)
    return (
        f'<p><label for="{name}">{title}</label>{control}'
        f'<span class="hint" id="{name}-hint">{hint}</span></p>'
    )


def _choice(named: str, schema: Mapping[str, Any]) -> str:
    names = [html.escape(str(value)) for value in schema["enum"]]
    chosen = html.escape(str(schema.get("default")))
    marks = {chosen: " selected"}
    choices = (f"<option{marks.get(value, '')}>{value}</option>" for value in names)
    return f"<select {named}>{''.join(choices)}</select>"


def _entry(named: str, schema: Mapping[str, Any], own: object) -> str:
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    kind, default = kinds[0], schema.get("default")
    shown = own if default is None else default
    attributes = [named]
    if shown is not None:
        attributes.append(f'placeholder="{html.escape(str(shown))}"')
    if (step := _KINDS.get(kind.get("type", ""))) is not None:
        attributes.append(f'type="number" step="{step}"')
        for name, bound in (("min", "minimum"), ("max", "maximum")):
            if bound in kind:
                attributes.append(f'{name}="{html.escape(str(kind[bound]))}"')
    return f"<input {' '.join(attributes)}>"

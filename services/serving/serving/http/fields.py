"""Optional fields of a form as HTML, for browsers that run no script."""

import html
from collections.abc import Mapping
from typing import Any

__all__ = ["render_fields"]

_KINDS = {"integer": "1", "number": "any"}


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

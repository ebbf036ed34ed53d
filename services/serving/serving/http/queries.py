"""Parameters of addresses, names of requests, numbers of forms: no guessing what is meant."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import Header, Query, Request
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BeforeValidator
from pydantic.json_schema import SkipJsonSchema

from serving.problems import invalid_fields, unknown_name

__all__ = ["RequestName", "Wait", "check_query", "plain_number", "wrong_numbers"]

_MAX_WAIT_S = 600.0
_NAME_LENGTHS = range(16, 129)
_CHECKED = "/v1/"
_IN_DIGITS = "write a number in digits, such as 7 or 2.5"
# Python takes more for a number: 1_000, spaces around it, the digits of all scripts.
_WHOLE = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def plain_number(text: object) -> object:
    """A number as text, if it is written in plain digits.

    Raises:
        ValueError: if it is not.
    """
    if isinstance(text, str) and not _NUMBER.fullmatch(text):
        raise ValueError(_IN_DIGITS)
    return text


def _checked_name(name: str | None) -> str | None:
    if name is not None and len(name) not in _NAME_LENGTHS:
        least, most = _NAME_LENGTHS[0], _NAME_LENGTHS[-1]
        told = f"has at least {least} characters and at most {most} characters, as a UUID"
        raise ValueError(told)
    return name


Wait = Annotated[
    float,
    BeforeValidator(plain_number),
    Query(
        ge=0,
        le=_MAX_WAIT_S,
        allow_inf_nan=False,
        description="Seconds to wait for the result; in time, the answer is the result.",
    ),
]
RequestName = Annotated[
    str | SkipJsonSchema[None],
    AfterValidator(_checked_name),
    Header(
        alias="Idempotency-Key",
        description="A random name for this request: sent again, it makes no second job.",
        json_schema_extra={"minLength": _NAME_LENGTHS[0], "maxLength": _NAME_LENGTHS[-1]},
    ),
]


def wrong_numbers(
    schemas: Mapping[str, Mapping[str, Any]], fields: Mapping[str, str]
) -> list[Mapping[str, Any]]:
    """Numbers in a form that are not written in plain digits, each with what to do.

    Args:
        schemas: JSON Schema of the fields, by name.
        fields: of the form.
    """
    wrong: list[Mapping[str, Any]] = []
    for name, text in fields.items():
        types = set(_types(schemas.get(name, {})))
        if "string" in types:
            continue
        if "number" in types and not _NUMBER.fullmatch(text):
            wrong.append({"loc": (name,), "msg": _IN_DIGITS})
        elif "integer" in types and not _WHOLE.fullmatch(text):
            wrong.append({"loc": (name,), "msg": "write a whole number in digits, such as 7"})
    return wrong


def _types(schema: Mapping[str, Any]) -> Iterator[str]:
    for kind in schema.get("anyOf", [schema]):
        yield kind.get("type", "")


def check_query(request: Request) -> None:
    """Make sure that a route of the API knows the parameters that it is asked with, each once.

    Pages take any, as links to them carry what others have put there.

    Raises:
        Problem: 422 if it does not.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.path.startswith(_CHECKED):
        return
    known = [parameter.alias for parameter in route.dependant.query_params]
    given = [name for name, _ in request.query_params.multi_items()]
    wrong = [
        {"loc": ("query", name), "msg": unknown_name("parameter", name, known)}
        for name in dict.fromkeys(given)
        if name not in known
    ]
    wrong += [
        {"loc": ("query", name), "msg": "is given more than once"}
        for name in known
        if given.count(name) > 1
    ]
    if wrong:
        raise invalid_fields(wrong)

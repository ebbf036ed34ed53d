"""The base class of a recipe's sections: frozen, and unknown settings are refused."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from s2s.errors import SettingsError

__all__ = ["Range", "Section", "WeightsSource", "checked", "fill_in_size", "matching"]

_QUOTED = re.compile(r"'([^']*)'")
ModelT = TypeVar("ModelT", bound=BaseModel)


class Section(BaseModel):
    """A part of a recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def checked(model: type[ModelT], content: Mapping[str, object], name: str) -> ModelT:
    """Check settings.

    Raises:
        SettingsError: if one is unknown or wrong; the message names it.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'settings'}: {_told(item, model)}"
            for item in _causes(error.errors())
        )
        raise SettingsError(f"{name}: {problems}") from error


def _causes(found: Sequence[Any]) -> list[Mapping[str, Any]]:
    """Without what only follows from others: a list is too short where its items are wrong."""
    within = {item["loc"][:-1] for item in found if item["loc"]}
    return [item for item in found if item["type"] != "too_short" or item["loc"] not in within]


def _told(item: Mapping[str, Any], model: type[BaseModel]) -> str:
    """What is wrong with a setting of a model, of what pydantic says."""
    if item["type"] == "extra_forbidden":
        *sections, name = item["loc"]
        near = get_close_matches(str(name), _settings_of(model, sections), n=1)
        return "there is no such setting" + (f"; is {near[0]} meant?" if near else "")
    told = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "literal_error":
        near = get_close_matches(str(item["input"]), _QUOTED.findall(item["ctx"]["expected"]), n=1)
        told += f"; is {near[0]} meant?" if near else ""
    return told


def _settings_of(model: Any, sections: Sequence[int | str]) -> Sequence[str]:
    """Names of the settings of a section; none where it is no section of a fixed kind."""
    for section in sections:
        fields = getattr(model, "model_fields", {})
        if section not in fields:
            return ()
        model = fields[section].annotation
    return tuple(getattr(model, "model_fields", ()))


def matching(pattern: str, told: str) -> AfterValidator:
    """A check of a text; what it must be is told in words, not as a pattern.

    Args:
        pattern: that all of it must fit.
        told: what that is, such as "a word".
    """

    def check(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise ValueError(f"{value!r} is none of what it can be: {told}")
        return value

    return AfterValidator(check)


def _two_numbers(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) == 2:
        return value
    raise ValueError(f"{value!r} is not two numbers, the least and the most, such as [0, 20]")


Range = Annotated[tuple[float, float], BeforeValidator(_two_numbers)]
"""Two numbers, the least and the most."""

WeightsSource = Annotated[
    str,
    matching(
        r"hub|random|(file|bucket|package):.+",
        "hub, file:NAME (beside the recipe), bucket:KEY, package:NAME or package:NAME/FILE (of an "
        "installed Python package), random",
    ),
]
"""Where a network's weights are from."""


def fill_in_size(content: Any, sizes: Mapping[str, Mapping[str, object]]) -> Any:
    """Fill in the settings that a section's `size` stands for; those that are set are kept."""
    if isinstance(content, dict) and content.get("size") in sizes:
        return {**sizes[content["size"]], **content}
    return content

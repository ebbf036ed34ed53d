"""What every section of a recipe is: settings that never change, none of them unknown."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["Section", "fill_in_size"]


class Section(BaseModel):
    """A part of a recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def fill_in_size(content: Any, sizes: Mapping[str, Mapping[str, object]]) -> Any:
    """What a section's `size` stands for, under what is set beside it; other content as it is."""
    if isinstance(content, dict) and content.get("size") in sizes:
        return {**sizes[content["size"]], **content}
    return content

"""What the command `compare` trains beside each other."""

from typing import Any

from pydantic import Field

from s2s.settings.section import Section

__all__ = ["ComparisonSettings"]


class ComparisonSettings(Section):
    """Approaches to one task, trained alike; none of it changes the recipe's own model.

    Attributes:
        approaches: by name, the settings of `training` that an approach has of its own; those that
            the task knows where there are none.
        seeds: how often each is trained, with the recipe's seed and the following ones.
    """

    approaches: dict[str, dict[str, Any]] = Field(default_factory=dict)
    seeds: int = Field(default=3, ge=1, le=100)

"""A recipe's section `feature_extraction`: what every task's has; the rest is the task's own."""

from pydantic import Field

from s2s.settings.section import Section

__all__ = ["FeatureSettings"]


class FeatureSettings(Section):
    """How features are stored.

    Attributes:
        clips_per_shard: clips in one shard, at most.
        jpegs: a folder beside the recipe, as `./s2s export --jpegs` writes it, whose pictures are
            read in the place of the clips' videos; none when empty.
    """

    clips_per_shard: int = Field(default=64, ge=1)
    jpegs: str = ""

    @property
    def needs_weights(self) -> bool:
        """Whether a network that was trained elsewhere is part of it."""
        return False

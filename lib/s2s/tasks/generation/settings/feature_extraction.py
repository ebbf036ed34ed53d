"""The section `feature_extraction`: which visual features are computed."""

from typing import Annotated, Literal

from pydantic import Field

from s2s.settings import FeatureSettings, WeightsSource, matching

__all__ = ["GenerationFeatureSettings"]


class GenerationFeatureSettings(FeatureSettings):
    """Visual features of a clip: a stream of motion, and one of appearance.

    Weights come from `hub` (of torchvision or timm), from `file:NAME` beside the recipe, from
    `bucket:KEY`, from `package:NAME/FILE`, which is a file of an installed Python package, or are
    `random`, which only tests should ask for.

    Attributes:
        motion: signed frame differences, or optical flow by one of torchvision's RAFT networks.
        motion_grid: motion is pooled on so many cells a side.
        motion_weights: where RAFT's weights are.
        semantic: the network of the appearance stream: `timm/NAME` for an image network,
            `torchvision/NAME` for a video network; `none` for colours pooled on a grid instead,
            which need no weights.
        semantic_every: frames from one look of that network to the next; rows are repeated.
        semantic_weights: where its weights are.
        colour_grid: colours are pooled on so many cells a side.
    """

    motion: Literal["differences", "raft_small", "raft_large"] = "differences"
    motion_grid: int = Field(default=8, ge=1, le=32)
    motion_weights: WeightsSource = "hub"
    semantic: Annotated[
        str,
        matching(
            r"none|(timm|torchvision)/[\w.\-]+",
            "none, timm/NAME (a network for pictures, such as timm/resnet18), torchvision/NAME "
            "(one for videos, such as torchvision/r3d_18)",
        ),
    ] = "none"
    semantic_every: int = Field(default=5, ge=1)
    semantic_weights: WeightsSource = "hub"
    colour_grid: int = Field(default=4, ge=1, le=32)

    @property
    def needs_weights(self) -> bool:
        """Whether a network that was trained elsewhere is part of it."""
        return self.motion != "differences" or self.semantic != "none"

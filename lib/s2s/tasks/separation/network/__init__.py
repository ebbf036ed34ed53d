"""The separators, and no training in them.

Every one is called alike: `network(mixture_BN, lips_BSTD, seen_BST)` gives voices (B, S, N).
"""

from torch import nn

from s2s.tasks.separation.network.audio_only import AudioOnly
from s2s.tasks.separation.network.audio_visual import AudioVisual
from s2s.tasks.separation.network.config import SeparatorConfig, shape_of
from s2s.tasks.separation.network.looking_to_listen import LookingToListen

__all__ = ["SeparatorConfig", "make_separator", "shape_of"]

_NETWORKS = {
    "audio_visual": AudioVisual,
    "audio_only": AudioOnly,
    "looking_to_listen": LookingToListen,
}


def make_separator(config: SeparatorConfig) -> nn.Module:
    """A separator with random weights."""
    return _NETWORKS[config.kind](config)

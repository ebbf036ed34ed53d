"""The command line of preprocessing."""

from preprocessing.stage import run
from s2s.cli import stage_app

__all__ = ["app"]

app = stage_app(
    "preprocessing",
    "Cut every clip of the catalog out of its source, exactly, to processed_data/: an mp4 at the "
    "recipe's frame rate and size (or the source's packets, where the recipe says so), and its "
    "sound as mono wav.",
    run,
)

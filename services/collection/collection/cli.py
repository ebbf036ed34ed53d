"""The command line of collection."""

from collection.stage import run
from s2s.cli import stage_app

__all__ = ["app"]

app = stage_app(
    "collection",
    "Read the recipe's catalog and download every clip's source to raw_data/ with yt-dlp. "
    "A source that is there is not downloaded again; one that failed is tried again only where "
    "that can help.",
    run,
)

"""The command line of collection."""

from collections.abc import Callable
from typing import Annotated

import typer

from collection.stage import run
from s2s.cli import CATALOG_OPTIONS, end_stage, recipe_command
from s2s.settings import Settings
from s2s.stage import StageReport, preflight

__all__ = ["app", "collection_app"]


def collection_app(run: Callable[[Settings], StageReport]) -> typer.Typer:
    """The command line of the stage.

    Args:
        run: the stage.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @app.command()
    @recipe_command(*CATALOG_OPTIONS)
    def collection(
        settings: Settings,
        *,
        nums_to_download: Annotated[
            int | None,
            typer.Option(
                "--nums_to_download", help="So many videos more than are collected.", min=1
            ),
        ] = None,
    ) -> int:
        """Read the recipe's catalog and download every clip's source to raw_data/ with yt-dlp.

        A source that is there is not downloaded again; one that failed is tried again only where
        that can help.
        """
        settings = settings.model_copy(update={"more": nums_to_download})
        preflight(settings, "collection")
        return end_stage(settings, run(settings))

    return app


app = collection_app(run)

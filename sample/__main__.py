"""Command line of the sample catalog."""

import sys
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from s2s.cli import DEFAULT_BUCKET, BucketOption, guarded
from s2s.logs import console
from s2s.storage import open_bucket
from sample.film import WORLDS, load_world
from sample.render import render_catalog
from sample.site import build_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The sample catalog: render it, serve its videos.",
)


@app.command()
def render(
    out: Annotated[Path, typer.Option(help="Directory for the videos and the catalog.")],
    sources: Annotated[
        int | None,
        typer.Option(min=1, help="Videos to render; else the world's own number."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same videos.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes at a time; one a core unless told.")
    ] = None,
    world: Annotated[str, typer.Option(help=f"Which films: {', '.join(WORLDS)}.")] = WORLDS[0],
) -> None:
    """Render the videos of a world, and their catalog."""
    if world not in WORLDS:
        console.print(f"sample: there is no world {world!r}: use one of {', '.join(WORLDS)}")
        raise typer.Exit(1)
    try:
        chosen = load_world(world)
        if not chosen.n_sources:
            console.print(f"sample: world {world}: {chosen.missing}")
            raise typer.Exit(1)
        count = sources or chosen.n_sources
        count = min(count, chosen.most_sources or count)
        catalog = render_catalog(out, count, seed, workers, world)
    except OSError as error:
        console.print(f"sample: cannot write to {out}: {error}. Whole videos are kept; run again")
        raise typer.Exit(1) from error
    typer.echo(str(catalog))


@app.command()
def serve(
    directory: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8099,
) -> None:
    """Serve the videos of a directory, with Range requests."""
    uvicorn.run(build_app(directory), host=host, port=port, access_log=False)


@app.command()
def publish(
    directory: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    bucket: BucketOption = DEFAULT_BUCKET,
    key: Annotated[str, typer.Option(help="Where recipes look for it.")] = "sample.csv",
) -> None:
    """Put the catalog of a directory into the bucket, where collection looks for it."""

    def upload() -> int:
        open_bucket(bucket).upload(directory / "catalog.csv", key, overwrite=True)
        return 0

    sys.exit(guarded(upload))


if __name__ == "__main__":
    app()

"""The commands: the stage, and the server."""

import ipaddress
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from s2s.cli import (
    DEFAULT_BUCKET,
    BucketOption,
    RecipeArgument,
    WorkDirOption,
    guarded,
    make_settings,
    stage_app,
)
from s2s.errors import SettingsError
from s2s.logs import console
from s2s.settings import Settings
from s2s.stage import StageReport, shared_bucket

__all__ = ["app"]

_STAGE = "serving"


def _run_stage(settings: Settings) -> StageReport:
    from serving.stage import run  # noqa: PLC0415 - slow to import: --help does without

    return run(settings)


app = stage_app(_STAGE, "Prove that the recipe's model answers over HTTP (the stage).", _run_stage)


@app.command()
def serve(  # noqa: PLR0913 - these are the options of the command line
    recipe: RecipeArgument,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for a free one.")] = 8000,
    model: Annotated[
        Path | None,
        typer.Option(help="A model directory; by default the bucket's newest of the recipe."),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="A file of keys' hashes: only these may use the API.")
    ] = None,
    is_open: Annotated[
        bool, typer.Option("--open", help="Let everybody in who reaches another host than this.")
    ] = False,
    rate: Annotated[
        int, typer.Option(help="Uploads a minute of each key or address; 0 for no limit.", min=0)
    ] = 0,
    queue: Annotated[int, typer.Option(help="Jobs that may wait; more get 429.", min=1)] = 64,
    keep_hours: Annotated[float, typer.Option(help="Results are kept so long.", min=0.01)] = 24.0,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Serve the recipe's model: an HTTP API and a page, until SIGTERM or Ctrl-C."""
    from serving.http.keys import KeyRing  # noqa: PLC0415
    from serving.http.server import Server, make_app  # noqa: PLC0415
    from serving.http.service import Limits  # noqa: PLC0415
    from serving.models.stored import fetch_model, find_model  # noqa: PLC0415
    from serving.observe.requests import log_as_json  # noqa: PLC0415

    def work() -> int:
        _check_host(host, is_guarded=keys is not None or is_open)
        settings, store = make_settings(recipe, bucket, work_dir), shared_bucket(bucket)
        if model is not None:
            folder, name = model, model.absolute().name
        else:
            stored = find_model(store, settings.recipe)
            folder, name = fetch_model(store, stored, work_dir), stored.name
        limits = replace(
            Limits.of(settings.recipe.serving),
            max_jobs=queue,
            keep_s=keep_hours * 3600,
            rate_per_minute=rate,
        )
        ring = None if keys is None else KeyRing.load(keys)
        server = Server(make_app(settings, (folder, name), store, limits, ring), host, port)
        console.print(f"Serving {name} at {server.url} until Ctrl-C", markup=False, soft_wrap=True)
        log_as_json()
        server.run()
        return 0

    sys.exit(guarded(work))


@app.command()
def key(
    name: Annotated[str, typer.Argument(help="Whose key it is: one word.")],
    file: Annotated[Path, typer.Option(help="The file of keys' hashes.")] = Path("keys.txt"),
) -> None:
    """Make a key of the API; it is shown once and kept only as a hash."""
    from serving.http.keys import add_key  # noqa: PLC0415

    def work() -> int:
        typer.echo(add_key(file, name))
        return 0

    sys.exit(guarded(work))


def _check_host(host: str, *, is_guarded: bool) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback and not is_guarded:
        raise SettingsError(
            f"--host {host} lets other machines in: name who may with --keys FILE "
            "('python -m serving key NAME' makes one), or say --open"
        )

"""The commands: the stage, and the server."""

import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from s2s.cli import (
    DEFAULT_BUCKET,
    BucketOption,
    RecipeArgument,
    WorkDirOption,
    guarded,
    make_settings,
    stage_app,
)
from s2s.logs import console
from s2s.settings import Settings
from s2s.stage import StageReport, shared_bucket

__all__ = ["app"]

_STAGE = "serving"


class _StageUnlessNamed(TyperGroup):
    """`serving RECIPE` is the stage, as with every service; `serving serve RECIPE` the server."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help"}:
            args = [_STAGE, *args]
        return super().parse_args(ctx, args)


def _run_stage(settings: Settings) -> StageReport:
    from serving.stage import run  # noqa: PLC0415 - slow to import: --help does without

    return run(settings)


app = stage_app(_STAGE, "Prove that the recipe's model answers over HTTP (the stage).", _run_stage)
app.info.cls = _StageUnlessNamed


@app.command()
def serve(
    recipe: RecipeArgument,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for a free one.")] = 8000,
    model: Annotated[
        Path | None,
        typer.Option(help="A model directory; by default the bucket's newest of the recipe."),
    ] = None,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Serve the recipe's model: an HTTP API and a page, until SIGTERM or Ctrl-C."""
    from serving.model import fetch_model, find_model  # noqa: PLC0415
    from serving.server import make_server  # noqa: PLC0415

    def work() -> int:
        settings = make_settings(recipe, bucket, work_dir)
        if model is not None:
            folder, name = model, model.absolute().name
        else:
            store = shared_bucket(bucket)
            stored = find_model(store, settings.recipe)
            folder, name = fetch_model(store, stored, work_dir), stored.name
        server = make_server(settings, folder, name, host, port)
        console.print(f"Serving {name} at {server.url} until Ctrl-C", markup=False, soft_wrap=True)
        # uvicorn raises the signal that stopped it once more when all is done.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with suppress(KeyboardInterrupt):
            server.run()
        return 0

    sys.exit(guarded(work))

"""The commands: the stage, and the server."""

import ipaddress
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from s2s.cli import (
    DEFAULT_BUCKET,
    BucketOption,
    WorkDirOption,
    find_recipe,
    guarded,
    stage_app,
)
from s2s.errors import ModelError, SettingsError
from s2s.logs import console
from s2s.settings import Recipe, Settings
from s2s.stage import StageReport, shared_bucket
from s2s.storage import Bucket
from s2s.tasks.recipes import load_recipe

if TYPE_CHECKING:
    from serving.models.served import ServedModel

__all__ = ["app"]

_STAGE = "serving"
_WAIT_S = 5.0


def _run_stage(settings: Settings) -> StageReport:
    from serving.stage import run  # noqa: PLC0415 - slow to import: --help does without

    return run(settings)


app = stage_app(_STAGE, "Prove that the recipe's model answers over HTTP (the stage).", _run_stage)


@app.command()
def serve(  # noqa: PLR0913 - these are the options of the command line
    recipes: Annotated[
        list[Path],
        typer.Argument(
            envvar="S2S_RECIPE",
            parser=find_recipe,
            metavar="RECIPE...",
            help="Whose models are offered: YAML files, names of those in recipes/, or URLs.",
        ),
    ],
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="PORT", help="Port to listen on; 0 for a free one.")
    ] = 8000,
    model: Annotated[
        list[Path] | None,
        typer.Option(
            help="A model directory, with one recipe; may be named several times. By default, the "
            "bucket's newest of each recipe."
        ),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="A file of keys' hashes: only these may use the API.")
    ] = None,
    is_open: Annotated[
        bool, typer.Option("--open", help="Let everybody in who reaches another host than this.")
    ] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="A host name that the server is called by; repeatable. Needed without "
            "--keys only, for other names than the machine's."
        ),
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            help="Address or network of proxies whose X-Forwarded-For is believed; repeatable."
        ),
    ] = None,
    connections: Annotated[
        int, typer.Option(help="Connections at a time; a quarter of them of one address.", min=4)
    ] = 512,
    rate: Annotated[
        int, typer.Option(help="Uploads a minute of each key or address; 0 for no limit.", min=0)
    ] = 0,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for a model that is not trained yet.")
    ] = False,
    queue: Annotated[
        int,
        typer.Option(
            help="Jobs that may wait, three quarters of them of one key or address; more get 429.",
            min=1,
        ),
    ] = 64,
    keep_hours: Annotated[float, typer.Option(help="Results are kept so long.", min=0.01)] = 24.0,
    jobs: Annotated[
        str,
        typer.Option(
            envvar="S2S_JOBS",
            show_default=False,
            help="postgresql://USER:PASSWORD@HOST/NAME: a database that several servers share "
            "their jobs in. By default, a file in the work directory.",
        ),
    ] = "",
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Serve the recipes' models: an HTTP API and a page, until SIGTERM or Ctrl-C."""
    from serving.access.addresses import read_networks  # noqa: PLC0415
    from serving.access.connections import ConnectionLimits  # noqa: PLC0415
    from serving.access.keys import KeyRing  # noqa: PLC0415
    from serving.http.app import create_app  # noqa: PLC0415
    from serving.http.server import Server, listen  # noqa: PLC0415
    from serving.http.service import Limits  # noqa: PLC0415
    from serving.observe.requests import log_as_json  # noqa: PLC0415

    def work() -> int:
        _check_host(host, is_guarded=keys is not None or is_open)
        loaded = [load_recipe(path) for path in recipes]
        listener = listen(host, port)
        store = shared_bucket(bucket)
        models = _models(loaded, model or [], store, work_dir, wait=wait)
        limits = replace(
            Limits.of(*(recipe.serving for recipe in loaded)),
            max_jobs=queue,
            keep_s=keep_hours * 3600,
            rate_per_minute=rate,
        )
        ring = None if keys is None else KeyRing.load(keys)
        made = create_app(
            models,
            limits,
            work_dir / "serving",
            store,
            ring,
            names=[host, *(name or [])],
            jobs=jobs,
        )
        bounds = ConnectionLimits(
            max_connections=connections,
            max_per_address=max(1, connections // 4),
            proxies=read_networks(proxy or []),
        )
        server = Server(made, host, listener, bounds)
        names = ", ".join(served.name for served in models)
        console.print(f"Serving {names} at {server.url} until Ctrl-C", markup=False, soft_wrap=True)
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
    from serving.access.keys import add_key  # noqa: PLC0415

    def work() -> int:
        typer.echo(add_key(file, name))
        return 0

    sys.exit(guarded(work))


def _models(
    recipes: Sequence[Recipe],
    folders: Sequence[Path],
    bucket: Bucket,
    work_dir: Path,
    *,
    wait: bool,
) -> "list[ServedModel]":
    from serving.models.stored import find_model, model_of_folder, model_of_recipe  # noqa: PLC0415

    if not folders:
        if wait:
            _await(lambda: [find_model(bucket, recipe) for recipe in recipes])
        return [model_of_recipe(bucket, recipe, work_dir) for recipe in recipes]
    if len(recipes) > 1:
        raise SettingsError(
            f"--model with {len(recipes)} recipes: it is unclear whose it is; name one recipe, or "
            "leave --model out"
        )
    return [model_of_folder(folder, folder.absolute().name, recipes[0]) for folder in folders]


def _await(find: Callable[[], object]) -> None:
    """Return once a model is found; what it waits for is said once."""
    said = ""
    while True:
        try:
            find()
            return
        except ModelError as error:
            if str(error) != said:
                said = str(error)
                console.print(f"Waiting: {said}", markup=False)
        time.sleep(_WAIT_S)


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

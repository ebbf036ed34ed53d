"""The commands: the stage, and the server."""

import ipaddress
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from s2s.cli import (
    DEFAULT_BUCKET,
    BucketOption,
    WorkDirOption,
    guarded,
    stage_app,
)
from s2s.errors import SettingsError
from s2s.logs import console, counted
from s2s.settings import Recipe, Settings
from s2s.stage import StageReport, shared_bucket
from s2s.storage import Bucket
from s2s.tasks.recipes import load_recipe
from serving.options import (
    ConnectionsOption,
    HostOption,
    JobsOption,
    KeepOption,
    KeysOption,
    ModelsOption,
    NamesOption,
    OpenOption,
    PortOption,
    ProxiesOption,
    QueueOption,
    RateOption,
    RecipesArgument,
    WaitOption,
)

if TYPE_CHECKING:
    from serving.access.connections import ConnectionLimits
    from serving.http.service import Limits
    from serving.models.served import ServedModel
    from serving.waiting import Waiting

__all__ = ["app"]

_STAGE = "serving"


def _run_stage(settings: Settings) -> StageReport:
    from serving.stage import run  # noqa: PLC0415 - slow to import: --help does without

    return run(settings)


app = stage_app(
    _STAGE,
    "Prove that the recipe's model answers over HTTP (the stage).",
    _run_stage,
    *("strict", "retry_failed"),
)


@app.command()
def serve(  # noqa: PLR0913 - these are the options of the command line
    recipes: RecipesArgument,
    *,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    model: ModelsOption = None,
    keys: KeysOption = None,
    is_open: OpenOption = False,
    name: NamesOption = None,
    proxy: ProxiesOption = None,
    connections: ConnectionsOption = 512,
    rate: RateOption = 0,
    wait: WaitOption = False,
    queue: QueueOption = 64,
    keep_hours: KeepOption = 24.0,
    jobs: JobsOption = "",
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Serve the recipes' models: an HTTP API and a page, until SIGTERM or Ctrl-C."""
    from serving.access.keys import KeyRing  # noqa: PLC0415
    from serving.http.app import create_app  # noqa: PLC0415
    from serving.http.server import Server, listen  # noqa: PLC0415
    from serving.waiting import answering  # noqa: PLC0415

    def work() -> int:
        _check_host(host, is_guarded=keys is not None or is_open)
        loaded = [load_recipe(path) for path in recipes]
        bounds, listener = _bounds(connections, proxy or []), listen(host, port)
        hosts, folder = [host, *(name or [])], _free_folder(work_dir)
        ring = None if keys is None else KeyRing.load(keys)
        store, limits = shared_bucket(bucket), _limits(loaded, queue, keep_hours, rate)
        with answering(listener, hosts if ring is None else None, bounds) as waiting:
            found = _models(loaded, model or [], store, work_dir, waiting if wait else None)
        models = _say_loading(found)
        made = create_app(models, limits, folder, store, ring, names=hosts, jobs=jobs)
        Server(made, host, listener, bounds, _say_serving, _say_finishing).run()
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


def _limits(recipes: Sequence[Recipe], queue: int, keep_hours: float, rate: int) -> "Limits":
    """The limits on requests: those of the recipes, and those of the command's options."""
    from serving.http.service import Limits  # noqa: PLC0415

    return replace(
        Limits.of(*(recipe.serving for recipe in recipes)),
        max_jobs=queue,
        keep_s=keep_hours * 3600,
        rate_per_minute=rate,
    )


def _bounds(connections: int, proxies: Sequence[str]) -> "ConnectionLimits":
    from serving.access.addresses import read_networks  # noqa: PLC0415
    from serving.access.connections import ConnectionLimits  # noqa: PLC0415

    return ConnectionLimits(
        max_connections=connections,
        max_per_address=max(1, connections // 4),
        proxies=read_networks(proxies),
    )


def _say_loading(models: "list[ServedModel]") -> "list[ServedModel]":
    """The last line before the log; the models."""
    from serving.observe.requests import log_as_json  # noqa: PLC0415

    names = ", ".join(served.name for served in models)
    console.print(f"Loading {names}", markup=False, soft_wrap=True)
    log_as_json()
    return models


def _say_serving(url: str, names: Sequence[str]) -> None:
    told = f"Serving {', '.join(names)} at {url} until Ctrl-C"
    console.print(told, markup=False, soft_wrap=True)


def _say_finishing(n_jobs: int, most_s: float) -> None:
    jobs = counted(n_jobs, "job")
    told = (
        f"Finishing {jobs}, up to {most_s:.0f} s; Ctrl-C once more stops at once, and what is not "
        "finished goes on at the next start"
    )
    console.print(told, markup=False, soft_wrap=True)


def _models(
    recipes: Sequence[Recipe],
    folders: Sequence[Path],
    bucket: Bucket,
    work_dir: Path,
    waiting: "Waiting | None",
) -> "list[ServedModel]":
    from serving.models.stored import (  # noqa: PLC0415
        find_model,
        model_of_folder,
        models_of_recipes,
    )

    if not folders:
        if waiting is not None:
            try:
                waiting.until_found(lambda: [find_model(bucket, recipe) for recipe in recipes])
            except KeyboardInterrupt:
                sys.exit()  # in order, as a server that has a model: there is no job to finish
        return models_of_recipes(bucket, recipes, work_dir)
    if len(recipes) > 1:
        raise SettingsError(
            f"--model with {len(recipes)} recipes: it is unclear whose it is; name one recipe, or "
            "leave --model out"
        )
    return [model_of_folder(folder, folder.absolute().name, recipes[0]) for folder in folders]


def _free_folder(work_dir: Path) -> Path:
    """Where jobs are kept; another server there is told before models are fetched."""
    from serving.jobs.storage import locked  # noqa: PLC0415

    _check_writable(work_dir)
    folder = work_dir / "serving"
    locked(folder).close()
    return folder


def _check_writable(folder: Path) -> None:
    """Make sure that the server can keep its jobs, before models are fetched."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SettingsError(
            f"--work-dir {folder}: cannot be written ({error.strerror}): choose another, or change "
            "who may write there"
        ) from error


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

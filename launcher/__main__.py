"""The command ./s2s."""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import rich
import typer

from launcher.bucket_server import BucketServer
from launcher.commands.catalog import catalog
from launcher.commands.cloud import cloud_app
from launcher.commands.compare import compare
from launcher.commands.evaluate import evaluate
from launcher.commands.flops import flops
from launcher.commands.images import images_app
from launcher.commands.import_videos import import_command
from launcher.commands.own_file.classify import classify
from launcher.commands.own_file.generate import generate
from launcher.commands.own_file.separate import separate
from launcher.commands.report import report
from launcher.commands.retry import retry
from launcher.commands.status import read_status, status_table
from launcher.commands.version import version_app
from launcher.pipeline import PURPOSES, check_accelerator, run_stages
from launcher.sample_site import sample_for
from launcher.samples import DEFAULT_SAMPLE, sample_recipe
from preprocessing.export import export
from s2s.cli import (
    DEFAULT_BUCKET,
    DEFAULT_WORK_DIR,
    RUN_OPTIONS,
    BucketOption,
    FileCommand,
    RecipeArgument,
    WorkDirOption,
    guarded,
    make_settings,
    recipe_command,
)
from s2s.logs import console
from s2s.settings import STAGES, Settings
from s2s.stage import StageReport, prepared_bucket, shared_bucket
from s2s.tasks.recipes import load_recipe

REPORTS = Path("reports")
_PASS_ON = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}

# Folders in their order, so that short files of tests fill the end.
_WHOLE_SUITE = ["--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder"]
_THREADS = {"OMP_NUM_THREADS": "1"}
"""Of each process that computes: on two cores that two files of tests share, more would wait for
each other."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Silent to Sound: from a list of clips to a model that gives silent videos their sound "
    "(generation), says what a clip shows (classification), or finds one voice among many by its "
    "face (separation).",
)
bucket_app = typer.Typer(
    no_args_is_help=True, help="A bucket server on this machine, for gs:// without an account."
)
app.add_typer(bucket_app, name="bucket")
app.command(cls=FileCommand)(generate)
app.command(cls=FileCommand)(classify)
app.command(cls=FileCommand)(separate)
app.add_typer(version_app, name="version")
app.add_typer(images_app, name="images")
app.add_typer(cloud_app, name="cloud")
app.command()(report)
app.command()(evaluate)
app.command()(flops)
app.command()(compare)
app.command(cls=FileCommand)(catalog)
app.command("import")(import_command)
app.command()(retry)
app.command()(export)


@app.command()
def demo(
    name: Annotated[
        str, typer.Argument(help="A sample recipe: recipes/NAME.sample.yaml.")
    ] = DEFAULT_SAMPLE,
    *,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = DEFAULT_WORK_DIR,
) -> None:
    """Run a sample recipe from its catalog to a page that shows what its model does."""
    from launcher.pages.demo import write_report  # noqa: PLC0415 - matplotlib and moviepy are slow

    def work() -> int:
        settings = make_settings(sample_recipe(name), bucket, work_dir)
        reports = _run_recipe(settings)
        recipe = settings.recipe
        page = write_report(shared_bucket(bucket), recipe, reports, REPORTS / recipe.name)
        console.print(f"\nLook and listen: [bold]{page.absolute().as_uri()}[/]")
        return 0

    sys.exit(guarded(work))


@app.command()
@recipe_command(*RUN_OPTIONS)
def run(settings: Settings) -> int:
    """Run all six stages of a recipe; what is done already is skipped."""
    reports = _run_recipe(settings)
    return int(settings.strict and any(report.n_failed for report in reports))


@app.command()
def status(
    recipe: RecipeArgument,
    bucket: BucketOption = DEFAULT_BUCKET,
) -> None:
    """Show every stage's clips: done, pending, failed by reason. Read from the bucket alone."""

    def work() -> int:
        loaded = load_recipe(recipe)
        store = shared_bucket(bucket)
        store.check()
        rich.print(status_table(loaded, read_status(store, loaded)))
        return 0

    sys.exit(guarded(work))


@app.command(context_settings=_PASS_ON, add_help_option=False)
def serve(context: typer.Context) -> None:
    """Serve recipes' models over HTTP (the sample recipe's unless one is named)."""
    args = context.args
    names_recipe = args and not args[0].startswith("-")
    names_recipe = names_recipe or any(arg.endswith((".yaml", ".yml")) for arg in args)
    if not names_recipe and "--help" not in args and "S2S_RECIPE" not in os.environ:
        args = [str(sample_recipe()), *args]
    import_module("serving.cli").app(["serve", *args], prog_name="s2s")


@app.command(context_settings=_PASS_ON, add_help_option=False)
def sample(context: typer.Context) -> None:
    """Render the sample catalog, or serve its videos."""
    import_module("sample.__main__").app(context.args, prog_name="s2s sample")


@app.command(context_settings=_PASS_ON, add_help_option=False)
def test(context: typer.Context) -> None:
    """Run the whole test suite; what follows goes to pytest, such as --cov, which takes longer."""
    command = [sys.executable, "-m", "pytest", *(context.args or _WHOLE_SUITE)]
    os.execve(sys.executable, command, _THREADS | os.environ)  # noqa: S606 - a list, no shell


@bucket_app.command()
def start(
    port: Annotated[int, typer.Option(help="Where it listens on 127.0.0.1.")] = 4443,
    name: Annotated[str, typer.Option(help="A bucket to make.")] = "s2s_data",
    work_dir: WorkDirOption = DEFAULT_WORK_DIR,
) -> None:
    """Start the server, its data on disk; make a bucket unless it is there."""

    def work() -> int:
        server = BucketServer(work_dir / "gcs", port)
        server.start()
        server.make_bucket(name)
        console.print(f"The bucket server listens at {server.url}. To use it:")
        print(f"export STORAGE_EMULATOR_HOST={server.url} S2S_BUCKET=gs://{name}")
        return 0

    sys.exit(guarded(work))


@bucket_app.command()
def stop(work_dir: WorkDirOption = DEFAULT_WORK_DIR) -> None:
    """Stop the server; its data stays."""

    def work() -> int:
        stopped = BucketServer(work_dir / "gcs").stop()
        console.print("The bucket server is stopped." if stopped else "None was running.")
        return 0

    sys.exit(guarded(work))


def _add_stage(stage: str) -> None:
    def command(context: typer.Context) -> None:
        _stage_command(stage)(context.args, prog_name=f"s2s {stage}")

    app.command(stage, context_settings=_PASS_ON, add_help_option=False, help=PURPOSES[stage])(
        command
    )


def _stage_command(stage: str) -> typer.Typer:
    """The same command as in the stage's container, but that the sample's site is at hand."""
    if stage == "collection":
        return import_module("collection.cli").collection_app(_collect)
    return import_module(f"{stage}.cli").app


def _collect(settings: Settings) -> StageReport:
    with sample_for(settings) as placed:
        return import_module("collection.stage").run(placed)


def _run_recipe(settings: Settings) -> list[StageReport]:
    # Before minutes of work whose result has no place, or that cannot go on.
    prepared_bucket(settings.bucket_url)
    check_accelerator(settings)
    with sample_for(settings) as placed:
        return run_stages(placed)


for _stage in STAGES:
    _add_stage(_stage)

if __name__ == "__main__":
    os.environ.setdefault("S2S_REPORTS", str(REPORTS))
    app(prog_name="s2s")

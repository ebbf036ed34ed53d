"""The command line of validation."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from s2s.cli import CATALOG_OPTIONS, end_stage, recipe_command
from s2s.dataset import read_version
from s2s.logs import console, counted
from s2s.settings import Settings, ValidationSettings, checked
from s2s.stage import preflight, shared_bucket
from validation.splits.table import split_table
from validation.stage import run

__all__ = ["app"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@recipe_command(*CATALOG_OPTIONS)
def validation(  # noqa: PLR0913 - these are the options of the command line
    settings: Settings,
    *,
    train: Annotated[
        float | None,
        typer.Option("-t", "--train", help="Share of all sources for training, before the recipe."),
    ] = None,
    val: Annotated[
        float | None,
        typer.Option("-v", "--val", help="Share for validation; what is left is for testing."),
    ] = None,
    test: Annotated[
        float | None, typer.Option(help="Share for testing: the three must add up to 1.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Deal what is not for testing to so many folds.")
    ] = None,
    fix: Annotated[
        str | None,
        typer.Option(help="Cut clips of no use, and all but one of those alike: drop, quarantine."),
    ] = None,
    git_remote: Annotated[
        str | None, typer.Option(help="A git repository to push versions to as well.")
    ] = None,
) -> int:
    """Check clips, split them by source, and make a data set version that DVC tracks.

    Sources keep the split that any version gave them: new ones go where most is lacking of the
    shares, which are those of all sources of the new version.
    """
    changes = {
        "train": train,
        "val": val,
        "test": test,
        "folds": folds,
        "fix": fix,
        "git_remote": git_remote,
    }
    settings = _with_changes(settings, changes)
    preflight(settings, "validation")
    report = run(settings)
    _print_version(settings, report.outputs)
    return end_stage(settings, report)


def _print_version(settings: Settings, outputs: Mapping[str, Any]) -> None:
    """Print where clips went, how many were checked, and whether DVC's remote has them."""
    store = shared_bucket(settings.bucket_url)
    console.print(split_table(read_version(store, settings.recipe, outputs["version"])))
    checked = outputs["checked"]
    rate = f" ({checked['clips_per_s']:.1f} a second)" if checked["clips"] else ""
    were = counted(round(checked["clips"]), "clip was", "clips were")
    console.print(f"{were} decoded and checked{rate}.")
    console.print(f"DVC's remote {store.url}/dvc_store is {outputs['remote']}.")


def _with_changes(settings: Settings, changes: dict[str, object]) -> Settings:
    """Settings with those of the command line before those of the recipe's section."""
    given = {name: value for name, value in changes.items() if value is not None}
    section = checked(
        ValidationSettings, settings.recipe.validation.model_dump() | given, "options"
    )
    recipe = settings.recipe.model_copy(update={"validation": section})
    return settings.model_copy(update={"recipe": recipe})

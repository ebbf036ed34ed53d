"""`./s2s version`: make, list, compare, fetch and verify data set versions."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import rich
import typer
from rich.table import Table

from s2s.cli import DEFAULT_BUCKET, BucketOption, RecipeArgument, check_output_folder, guarded
from s2s.dataset import SPLITS, DatasetVersion, read_version, version_names
from s2s.errors import VersionError
from s2s.logs import console, counted
from s2s.settings import Recipe
from s2s.stage import shared_bucket
from s2s.storage import Bucket
from s2s.tasks.recipes import load_recipe
from validation.release.changes import compare
from validation.release.delivery import choose, pull, verify_folder, verify_stored
from validation.release.remote import remote_mode

__all__ = ["version_app"]

_NAMED = 20
_PASS_ON = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
VersionArgument = Annotated[str, typer.Argument(help="Such as v2 or dataset_v2.")]
SplitOption = Annotated[list[str] | None, typer.Option(help="Only this split; repeatable.")]
LabelOption = Annotated[list[str] | None, typer.Option(help="Only this label; repeatable.")]
FolderOption = Annotated[Path, typer.Option("--to", help="Folder that gets s2s_dataset.")]

version_app = typer.Typer(no_args_is_help=True, help="Data set versions of a recipe.")


@version_app.command("create", context_settings=_PASS_ON, add_help_option=False)
def create(context: typer.Context) -> None:
    """Check clips, split them, and make a version of what is cut: the stage validation."""
    import_module("validation.cli").app(context.args, prog_name="s2s version create")


@version_app.command("list")
def show(recipe: RecipeArgument, bucket: BucketOption = DEFAULT_BUCKET) -> None:
    """Show a recipe's versions: clips of each split, sources, labels, size."""

    def work() -> int:
        store, loaded = _opened(bucket, recipe)
        table = Table(title=f"{loaded.name} in {store.url}")
        for name in ("version", *SPLITS, "sources", "labels", "MB"):
            table.add_column(name, justify="left" if name == "version" else "right")
        for name in version_names(store, loaded):
            table.add_row(name, *_cells(read_version(store, loaded, name)))
        rich.print(table)
        mode = remote_mode(store, loaded.validation.remote_mode)
        console.print(f"DVC's remote {store.url}/dvc_store is {mode.meaning}.")
        return 0

    sys.exit(guarded(work, goes_on=False))


@version_app.command()
def diff(
    recipe: RecipeArgument,
    older: VersionArgument,
    newer: VersionArgument,
    bucket: BucketOption = DEFAULT_BUCKET,
) -> None:
    """Show what a version has that another has not."""

    def work() -> int:
        store, loaded = _opened(bucket, recipe)
        versions = [_read(store, loaded, name) for name in (older, newer)]
        changes = compare(*versions)
        table = Table(title=f"from {versions[0].name} to {versions[1].name}: clips by split")
        table.add_column("")
        for split in SPLITS:
            table.add_column(split, justify="right")
        for kind, counts in changes.counts.items():
            table.add_row(kind, *(str(counts[split]) for split in SPLITS))
        rich.print(table)
        for sign, clips in (("+", changes.added), ("-", changes.removed), (">", changes.moved)):
            for clip in clips[:_NAMED]:
                print(f"{sign} {clip.split}/{clip.clip_id} {'|'.join(clip.labels)}")
            if len(clips) > _NAMED:
                print(f"{sign} and {len(clips) - _NAMED} more")
        return 0

    sys.exit(guarded(work, goes_on=False))


@version_app.command("pull")
def fetch(
    recipe: RecipeArgument,
    version: VersionArgument,
    *,
    split: SplitOption = None,
    label: LabelOption = None,
    to: FolderOption = Path(),
    bucket: BucketOption = DEFAULT_BUCKET,
) -> None:
    """Fetch a version, or a part of it, each file's SHA-256 compared."""

    def work() -> int:
        check_output_folder(to)
        store, loaded = _opened(bucket, recipe)
        chosen = choose(_read(store, loaded, version), split or (), label or ())
        fetched = pull(store, chosen, to)
        clips = sum(map(len, chosen.clips.values()))
        there = f"{counted(clips, 'clip')} in {to / 's2s_dataset'}"
        console.print(f"{chosen.name}: {there}, {counted(fetched, 'file')} new")
        return 0

    sys.exit(guarded(work))


@version_app.command()
def verify(
    recipe: RecipeArgument,
    version: VersionArgument,
    *,
    folder: Annotated[
        Path | None, typer.Option("--in", help="A folder that was pulled; without it, the bucket.")
    ] = None,
    split: SplitOption = None,
    label: LabelOption = None,
    bucket: BucketOption = DEFAULT_BUCKET,
) -> None:
    """Hash every file of a version again, and name each that differs.

    Of a folder with a part of a version, name that part as for pull: --split, --label.
    """

    def work() -> int:
        if folder and not folder.is_dir():
            raise VersionError(f"--in {folder}: there is no such folder")
        if not folder and (split or label):
            raise VersionError("--split and --label are for a folder: name it with --in")
        store, loaded = _opened(bucket, recipe)
        content = _read(store, loaded, version)
        problems = (
            verify_folder(choose(content, split or (), label or ()), folder)
            if folder
            else verify_stored(store, loaded, content)
        )
        for problem in problems:
            print(problem)
        differ = counted(len(problems), "file differs", "files differ")
        console.print(f"{content.name}: {differ}" if problems else "all right")
        return int(bool(problems))

    sys.exit(guarded(work, goes_on=False))


def _opened(bucket: str, recipe: Path) -> tuple[Bucket, Recipe]:
    store = shared_bucket(bucket)
    store.check()
    return store, load_recipe(recipe)


def _read(bucket: Bucket, recipe: Recipe, name: str) -> DatasetVersion:
    full = f"dataset_v{name.removeprefix('dataset_').removeprefix('v')}"
    names = version_names(bucket, recipe)
    if full not in names:
        raise VersionError(
            f"{recipe.name} has no version {name!r}: there are {', '.join(names) or 'none yet'}"
        )
    return read_version(bucket, recipe, full)


def _cells(version: DatasetVersion) -> list[str]:
    clips = [clip for split in SPLITS for clip in version.split(split)]
    megabytes = sum(clip.size + clip.wav_size for clip in clips) / 1e6
    return [
        *(str(len(version.split(split))) for split in SPLITS),
        str(len({clip.source_id for clip in clips})),
        str(len({label for clip in clips for label in clip.labels})),
        f"{megabytes:.1f}",
    ]

"""`./s2s catalog FILE`: what a catalog holds, and which of its rows are no clip."""

import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Annotated

import rich
import typer
from rich.markup import escape
from rich.table import Table

from launcher.commands.catalog.files import CatalogFiles
from launcher.commands.catalog.summary import Difference, Summary, compare, summarize
from s2s.catalog import (
    FormatOptions,
    RowProblem,
    choose_format,
    nothing_selected,
    read_label_table,
    read_rows,
    select_clips,
)
from s2s.cli import (
    DEFAULT_BUCKET,
    FAILURE_STATUS,
    BucketOption,
    WorkDirOption,
    check_output_folder,
    find_recipe,
    guarded,
)
from s2s.errors import CatalogError
from s2s.logs import console, counted
from s2s.records import ClipRecord
from s2s.settings import CollectionSettings, Recipe, checked
from s2s.tasks.recipes import load_recipe

__all__ = ["catalog"]

_SHOWN_LABELS = 15


FilesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Catalogs: files, or keys in the bucket; two or more are compared. The recipe's own "
        "without one."
    ),
]
ReadAsOption = Annotated[
    Path | None,
    typer.Option(
        help="A recipe whose columns, label table and so on apply.",
        parser=find_recipe,
        metavar="RECIPE",
    ),
]
LabelTableOption = Annotated[
    Path | None, typer.Option(help="AudioSet's class_labels_indices.csv, to name labels.")
]
OutputOption = Annotated[
    Path | None, typer.Option(help="Write the clips here, in the catalog's own format.")
]


def catalog(  # noqa: PLR0913 - these are the options of the command line
    files: FilesArgument = None,
    *,
    recipe: ReadAsOption = None,
    format_name: Annotated[str, typer.Option("--format", help="The format, if it is known.")] = "",
    label_table: LabelTableOption = None,
    all_labels: Annotated[bool, typer.Option(help="List every label.")] = False,
    output: OutputOption = None,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Show what a catalog holds: rows, sources, clips, labels, splits, problems with their lines.

    With --recipe it is read as collection reads it, and what the recipe selects is counted; with
    --output, too, only those clips are written.
    """

    def work() -> int:
        loaded = None if recipe is None else load_recipe(recipe)
        base = None if recipe is None else recipe.parent
        with CatalogFiles(bucket, base, work_dir.absolute()) as found:
            options = _options(loaded, format_name, label_table, found)
            paths = [found.path(name) for name in files or _of_recipe(loaded)]
            is_any_empty = False
            for path in paths:
                summary = summarize(path, options)
                rich.print(summary_table(summary, None if all_labels else _SHOWN_LABELS))
                is_any_empty |= bool(summary.n_problems and not summary.n_clips)
                if loaded is not None:
                    _say_selected(path, options, loaded, summary)
            for first, second in combinations(paths, 2):
                rich.print(_in_words(first, second, compare(first, second, options)))
            if output is not None:
                _write(paths, output, options, loaded)
        return FAILURE_STATUS if is_any_empty else 0

    sys.exit(guarded(work, goes_on=False))


def _together(duration_s: float) -> str:
    if duration_s < 59.95:
        return f"{duration_s:.1f} s"
    if duration_s < 3597:
        return f"{duration_s / 60:.1f} min"
    return f"{duration_s / 3600:,.1f} h"


def summary_table(summary: Summary, shown_labels: int | None) -> Table:
    """A catalog's numbers, its labels by number of clips, its first problems.

    Args:
        summary: what was counted.
        shown_labels: so many labels are listed; None for all.
    """
    table = Table(show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("file", escape(str(summary.path)))
    table.add_row("format", summary.layout)
    table.add_row("rows", f"{summary.n_rows:,}")
    if summary.n_clips:
        table.add_row("sources", f"{summary.n_sources:,}, {summary.n_dashes:,} begin with a dash")
        table.add_row("clips", f"{summary.n_clips:,}, {_together(summary.duration_s)} together")
        splits = (f"{name or 'without'}: {n:,}" for name, n in sorted(summary.splits.items()))
        table.add_row("splits", escape(", ".join(splits)))
        if summary.layout == "vggsound" and summary.odd_splits:
            odd = f"{summary.odd_splits[0]!r} is no split that is known"
            table.add_row("", escape(f"{odd}: a label with a comma needs quotes"))
    table.add_row("labels", f"{len(summary.labels):,}")
    listed = summary.labels.most_common(shown_labels)
    for label, number in listed:
        table.add_row("", escape(f"{number:,}  {label}"))
    if len(listed) < len(summary.labels):
        table.add_row("", f"… and {len(summary.labels) - len(listed):,} more (--all-labels)")
    table.add_row("problems", f"{summary.n_problems:,}")
    for problem in summary.problems:
        table.add_row("", escape(f"line {problem.line}: {problem.message}"))
    if summary.n_problems > len(summary.problems):
        table.add_row("", f"… and {summary.n_problems - len(summary.problems):,} more")
    return table


def _in_words(first: Path, second: Path, found: Difference) -> str:
    names = escape(f"{first.name} and {second.name}")
    if found.is_none:
        return f"{names} agree: {counted(found.n_both, 'clip')} in both."
    parts = [
        f"{counted(found.n_both, 'clip')} in both",
        f"{found.only_first:,} only in {first.name}",
        f"{found.only_second:,} only in {second.name}",
        f"{found.n_relabelled:,} with other labels",
        f"{found.n_moved:,} in other splits",
    ]
    return f"[yellow]{names} disagree[/]: {escape(', '.join(parts))}. Use the one that is whole."


def _of_recipe(recipe: Recipe | None) -> list[Path]:
    if recipe is None:
        raise CatalogError("name a catalog's file, or a recipe with --recipe")
    return [Path(recipe.collection.catalog)]


def _options(
    recipe: Recipe | None, format_name: str, label_table: Path | None, found: CatalogFiles
) -> FormatOptions:
    of_recipe = CollectionSettings(catalog="") if recipe is None else recipe.collection
    changes = {"format": format_name} if format_name else {}
    checked(CollectionSettings, {"catalog": "", **changes}, "options")
    settings = of_recipe.model_copy(update=changes)
    if settings.format == "folder":
        raise CatalogError(
            "a folder is no catalog: './s2s collection RECIPE' lists its videos and copies them"
        )
    table = label_table or Path(settings.label_table)
    names = read_label_table(found.path(table)) if table.name else {}
    duration_s = FormatOptions().duration_s if recipe is None else recipe.spec.duration_s
    keep_splits = recipe is not None and recipe.validation.keep_catalog_split
    return FormatOptions.of_settings(settings, duration_s, names, keep_splits=keep_splits)


def _say_selected(path: Path, options: FormatOptions, recipe: Recipe, summary: Summary) -> None:
    """Count what the recipe selects, and fail where collection would."""
    n_selected = sum(1 for _ in select_clips(_clips(path, options), recipe, str(path)))
    if not n_selected:
        counts = (summary.n_clips, summary.n_problems)
        raise nothing_selected(str(path), summary.layout, recipe, counts, summary.problems)
    are = counted(n_selected, "clip is", "clips are")
    console.print(f"{are} selected by {recipe.name}", highlight=False)


def _clips(path: Path, options: FormatOptions) -> Iterator[ClipRecord]:
    layout = choose_format(path, str(path), options)
    return (row for row in read_rows(path, layout) if not isinstance(row, RowProblem))


def _write(files: list[Path], output: Path, options: FormatOptions, recipe: Recipe | None) -> None:
    if len(files) != 1:
        raise CatalogError("--output writes the clips of one catalog: name one file")
    if output.resolve() == files[0].resolve():
        raise CatalogError(f"--output {output}: is the file that is read, name another")
    if output.is_dir():
        raise CatalogError(f"--output {output}: is a folder, name a file in it")
    if not output.parent.exists():
        raise CatalogError(f"--output {output}: make the folder {output.parent} first")
    check_output_folder(output.parent)
    layout = choose_format(files[0], str(files[0]), options)
    clips = _clips(files[0], options)
    layout.write(clips if recipe is None else select_clips(clips, recipe), output)
    console.print(f"Written to {output}, in the format {layout.name}", highlight=False)

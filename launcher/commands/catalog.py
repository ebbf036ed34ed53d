"""`./s2s catalog FILE`: what a catalog holds, and which of its rows are no clip."""

import sys
from itertools import combinations
from pathlib import Path
from typing import Annotated

import rich
import typer
from rich.markup import escape
from rich.table import Table

from launcher.commands.catalog_summary import Difference, Summary, compare, summarize
from s2s.catalog import (
    FormatOptions,
    RowProblem,
    choose_format,
    read_label_table,
    read_rows,
    select_clips,
)
from s2s.cli import guarded
from s2s.errors import CatalogError
from s2s.logs import console
from s2s.settings import CollectionSettings, Recipe, checked
from s2s.tasks.recipes import load_recipe

__all__ = ["catalog"]

_SHOWN_LABELS = 15


def catalog(
    files: Annotated[list[Path], typer.Argument(help="Catalogs; two or more are compared.")],
    *,
    recipe: Annotated[
        Path | None, typer.Option(help="A recipe whose columns, label table and so on apply.")
    ] = None,
    format_name: Annotated[str, typer.Option("--format", help="The format, if it is known.")] = "",
    label_table: Annotated[
        Path | None, typer.Option(help="AudioSet's class_labels_indices.csv, to name labels.")
    ] = None,
    all_labels: Annotated[bool, typer.Option(help="List every label.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write the clips here, in the catalog's own format.")
    ] = None,
) -> None:
    """Show what a catalog holds: rows, sources, clips, labels, splits, problems with their lines.

    With --recipe and --output, only the clips that the recipe selects are written.
    """

    def work() -> int:
        loaded = None if recipe is None else load_recipe(recipe)
        options = _options(loaded, format_name, label_table)
        for path in files:
            if not path.is_file():
                raise CatalogError(f"catalog {path}: there is no such file")
            rich.print(
                summary_table(summarize(path, options), None if all_labels else _SHOWN_LABELS)
            )
        for first, second in combinations(files, 2):
            rich.print(_in_words(first, second, compare(first, second, options)))
        if output is not None:
            _write(files, output, options, loaded)
        return 0

    sys.exit(guarded(work))


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
        table.add_row("clips", f"{summary.n_clips:,}, {summary.duration_s / 3600:,.1f} h together")
        splits = (f"{name or 'without'}: {n:,}" for name, n in sorted(summary.splits.items()))
        table.add_row("splits", escape(", ".join(splits)))
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
        return f"{names} agree: {found.n_both:,} clips in both."
    parts = [
        f"{found.n_both:,} clips in both",
        f"{found.only_first:,} only in {first.name}",
        f"{found.only_second:,} only in {second.name}",
        f"{found.n_relabelled:,} with other labels",
    ]
    return f"[yellow]{names} disagree[/]: {escape(', '.join(parts))}. Use the one that is whole."


def _options(recipe: Recipe | None, format_name: str, label_table: Path | None) -> FormatOptions:
    content = {} if recipe is None else recipe.collection.model_dump()
    if format_name:
        content["format"] = format_name
    settings = checked(CollectionSettings, {"catalog": "", **content}, "options")
    if settings.format == "folder":
        raise CatalogError("a folder is no catalog: './s2s import RECIPE' reads one")
    names = {} if label_table is None else read_label_table(label_table)
    duration_s = FormatOptions().duration_s if recipe is None else recipe.spec.duration_s
    return FormatOptions.of_recipe(settings, duration_s, names)


def _write(files: list[Path], output: Path, options: FormatOptions, recipe: Recipe | None) -> None:
    if len(files) != 1:
        raise CatalogError("--output writes the clips of one catalog: name one file")
    if output.resolve() == files[0].resolve():
        raise CatalogError(f"--output {output}: is the file that is read, name another")
    layout = choose_format(files[0], str(files[0]), options)
    clips = (row for row in read_rows(files[0], layout) if not isinstance(row, RowProblem))
    layout.write(clips if recipe is None else select_clips(clips, recipe), output)
    console.print(f"Written to {output}, in the format {layout.name}", highlight=False)
